#!/usr/bin/env bash
# guest-parts.sh: puts what guests boot from into the cache folder where guest-image.ts looks for
# it: Debian's kernel with those of its modules that a guest may use, and a small iSCSI initiator.
# Nothing is installed: that would bring 400 MB, a step that makes the machine's own initramfs, and
# services. Does nothing where the newest kernel is there already.
set -euo pipefail

cache=${XDG_CACHE_HOME:-${HOME:-~}/.cache}/understudy/guest
package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p' | head -n 1)
release=${package#linux-image-}
[ ! -e "$cache/boot/vmlinuz-$release" ] || exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "$package" open-iscsi libopeniscsiusr libkmod2
modules=./lib/modules/$release
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x "./boot/vmlinuz-$release" \
  "$modules/modules.order" "$modules/modules.builtin" \
  "$modules"/kernel/{block,crypto,fs,lib,net/9p,drivers/block,drivers/md,drivers/scsi} \
  "$modules"/kernel/drivers/{target,virtio}
for deb in open-iscsi libopeniscsiusr libkmod2; do
  dpkg-deb --extract "$deb"_*.deb "./iscsi"
done
rm -rf "$cache/iscsi"
mv iscsi "$cache/"
mkdir -p "$cache/boot" "$cache/lib/modules"
rm -rf "$cache/$modules"
mv "$modules" "$cache/lib/modules/"
# Last, for it says that the rest is there.
mv "boot/vmlinuz-$release" "$cache/boot/"
