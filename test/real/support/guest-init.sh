#!/bin/busybox sh
# The first process of a guest (guest.ts). Its root is the initramfs; what it runs sees the host's
# tree, read-only beneath memory, so that nothing a command does reaches the host, but for the
# folder that both share.
#
# /settings gives: shared (the folder, one path on both sides), disks (their names), nexuses (how
# many hosts the guest plays), disk_bytes, sector_bytes, iscsi (the folder of the initiator).
/bin/busybox --install -s /bin
export PATH=/bin
. /settings

orders=/dev/ttyS1
fail() {
  echo "guest: $*"
  poweroff -f
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# Where the target keeps reservations that outlive a loss of power. It writes them from threads of
# the kernel, whose root is this one.
mkdir -p /var/target/pr /host /volatile /guest
while read -r module; do
  insmod "/modules/$module" || fail "module $module"
done < /modules/order

# --- the host's tree -----------------------------------------------------------------------------

over9p=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o "$over9p,ro,cache=loose" host /host || fail 'the host has no tree for us'
mount -t tmpfs -o size=75% tmpfs /volatile
mkdir /volatile/upper /volatile/work /volatile/array
mount -t overlay -o lowerdir=/host,upperdir=/volatile/upper,workdir=/volatile/work overlay /guest ||
  fail 'no writable layer'
mount -t proc proc /guest/proc
mount -t sysfs sysfs /guest/sys
mount -t configfs configfs /guest/sys/kernel/config
mount -t devtmpfs devtmpfs /guest/dev
mkdir -p /guest/dev/pts /guest/dev/shm
mount -t devpts -o ptmxmode=666 devpts /guest/dev/pts
mount -t tmpfs tmpfs /guest/dev/shm
mount -t tmpfs tmpfs /guest/run
mount -t 9p -o "$over9p,cache=none" shared "/guest$shared" || fail 'no shared folder'
ifconfig lo 127.0.0.1 up

# --- the array -----------------------------------------------------------------------------------

target=/guest/sys/kernel/config/target
# Before anything is exported: with its serial number a disk is the same by every nexus.
for disk in $disks; do
  truncate -s "$disk_bytes" "/volatile/array/$disk"
  store=$target/core/fileio_0/$disk
  mkdir -p "$store"
  echo "fd_dev_name=/volatile/array/$disk,fd_dev_size=$disk_bytes" > "$store/control"
  echo "$sector_bytes" > "$store/attrib/block_size"
  echo "understudy-$disk" > "$store/wwn/vpd_unit_serial"
  echo 1 > "$store/enable" || fail "disk $disk"
done

# One target for all, and an initiator name a nexus: this is what the target tells hosts apart by.
iqn=iqn.2003-01.local.understudy
portal=$target/iscsi/$iqn:array/tpgt_1
mkdir -p "$portal"
echo 0 > "$portal/attrib/authentication"
lun=0
for disk in $disks; do
  mkdir "$portal/lun/lun_$lun"
  ln -s "$target/core/fileio_0/$disk" "$portal/lun/lun_$lun/$disk" || fail "lun $disk"
  lun=$((lun + 1))
done
for nexus in $(seq "$nexuses"); do
  # An address each, for the initiator takes one target at one address for one session.
  mkdir "$portal/np/127.0.0.$nexus:3260"
  acl=$portal/acls/$iqn:host$nexus
  mkdir "$acl"
  lun=0
  for disk in $disks; do
    mkdir "$acl/lun_$lun"
    ln -s "$portal/lun/lun_$lun" "$acl/lun_$lun/lun_$lun" || fail "lun $disk for nexus $nexus"
    lun=$((lun + 1))
  done
done
echo 1 > "$portal/enable" || fail 'the array does not serve'

# The device of the disk at place $2 by nexus $1, once it is there.
device() {
  for _ in $(seq 100); do
    for session in /sys/class/iscsi_session/*; do
      [ "$(cat "$session/initiatorname")" = "$iqn:host$1" ] || continue
      for place in "$session"/device/target*/*:"$2"/block/sd*; do
        name=/dev/$(basename "$place")
        [ -b "$name" ] && echo "$name" && return 0
      done
    done
    usleep 50000
  done
  return 1
}

# Nobody watches over a session once it is made, and a slow guest is no reason to give it up.
patient='-P node.conn[0].timeo.noop_out_interval=0 -P node.conn[0].timeo.noop_out_timeout=0'
for nexus in $(seq "$nexuses"); do
  LD_LIBRARY_PATH=$iscsi/usr/lib/x86_64-linux-gnu:$iscsi/lib/x86_64-linux-gnu chroot /guest \
    "$iscsi/sbin/iscsistart" -i "$iqn:host$nexus" -t "$iqn:array" -g 1 -a "127.0.0.$nexus" \
    $patient || fail "no session for nexus $nexus"
  lun=0
  for disk in $disks; do
    found=$(device "$nexus" "$lun") || fail "no device for disk $disk by nexus $nexus"
    export "NEXUS${nexus}_$disk=$found"
    lun=$((lun + 1))
  done
done

# --- commands ------------------------------------------------------------------------------------

run_job() {
  local job="$shared/job-$1"
  setsid chroot /guest /bin/sh "$job.sh" > "/guest$job.out" 2> "/guest$job.err" < /dev/null
  echo "done $1 $?" > "$orders"
}

stty -F "$orders" raw -echo
exec 3< "$orders"
echo ready > "$orders"
while read -r job <&3; do
  run_job "$job" &
done
fail 'nobody gives orders any more'
