#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "crc32c.h"
#include "digest.h"

namespace understudy {
namespace {

uint64_t roundedUp(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

/// Size of a file or device, and which of the two it is.
struct Kind {
  bool block;
  uint64_t bytes;
};

Kind kindOf(int fd, const std::string& path) {
  struct stat status{};
  if (fstat(fd, &status) != 0) throw Failure("REPLICA_IO", path + ": " + describeErrno(errno));
  if (S_ISREG(status.st_mode)) return {false, uint64_t(status.st_size)};
  uint64_t bytes = 0;
  if (!S_ISBLK(status.st_mode) || ioctl(fd, BLKGETSIZE64, &bytes) != 0)
    throw Failure("REPLICA_KIND", path + " is neither a file nor a block device");
  return {true, bytes};
}

/// A device may be larger than what we use of it; a file is made for its volume.
void checkSize(const Kind& kind, uint64_t wanted, const std::string& path) {
  if (kind.block ? kind.bytes >= wanted : kind.bytes == wanted) return;
  throw Failure("REPLICA_SIZE", path + " has " + std::to_string(kind.bytes) + " bytes, want " +
                                    std::to_string(wanted));
}

/// What is written where the file system or device has no quicker way to zeroes.
alignas(kPageBytes) uint8_t zeroPages[256 * kPageBytes];

/// Whether fallocate says that it cannot do this here at all. Of every other failure but a medium's
/// a plain write may not share the reason: room for split extents, a limit, a crooked range.
bool cannot(int32_t result) {
  return result == -EOPNOTSUPP || result == -ENOSYS || result == -ENOTTY;
}

/// Whether an error says that the device is away (engine/mirror/path.ts has the same list), or bad:
/// what it had in its cache may be gone, so nothing else is tried in its place.
bool isFailure(int32_t result) {
  switch (-result) {
    case EIO:
    case ENXIO:
    case ENODEV:
    case ENOLINK:
    case ECONNABORTED:
    case ENOTCONN:
    case ETIMEDOUT:
    case EHOSTDOWN:
    case EHOSTUNREACH: return true;
    default: return false;
  }
}

bool allZero(const uint8_t* bytes, uint32_t length) {
  // Each byte equals the one before it, and the first is zero.
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/// Reads up to a page; the bytes that came, or a negative errno.
int32_t readOnce(int fd, void* buffer, uint32_t length, uint64_t at) {
  for (;;) {
    const ssize_t got = pread(fd, buffer, length, off_t(at));
    if (got >= 0) return int32_t(got);
    if (errno != EINTR && errno != EAGAIN) return -errno;
  }
}

/// Whether reads of one block really work on this descriptor with O_DIRECT. A device that takes the
/// request and fails is one on which they do: to read its cache instead would hide the reason.
bool directWorks(int fd, uint32_t blockBytes) {
  void* buffer = nullptr;
  if (posix_memalign(&buffer, kPageBytes, kPageBytes) != 0) return false;
  const int32_t got = readOnce(fd, buffer, blockBytes, 0);
  free(buffer);
  return got != -EINVAL && got != -EOPNOTSUPP;
}

}  // namespace

int32_t readPageOf(const std::string& path, uint64_t at, uint8_t* page) {
  void* buffer = nullptr;
  if (posix_memalign(&buffer, kPageBytes, kPageBytes) != 0) return -ENOMEM;
  int32_t got = -EINVAL;
  for (const int direct : {O_DIRECT, 0}) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | direct);
    got = fd < 0 ? -errno : readOnce(fd, buffer, kPageBytes, at);
    if (fd >= 0) ::close(fd);
    if (got != -EINVAL && got != -EOPNOTSUPP) break;
  }
  if (got > 0) memcpy(page, buffer, size_t(got));
  free(buffer);
  return got;
}

void Disk::close() {
  const int data = parts_.empty() ? -1 : parts_.back().fd;
  if (side_ >= 0 && side_ != meta_) ::close(side_);
  if (meta_ >= 0 && meta_ != data) ::close(meta_);
  for (const Part& part : parts_) ::close(part.fd);
  parts_.clear();
  meta_ = side_ = -1;
}

void Disk::open(const DiskOptions& options) {
  const int64_t deadline = bootMicros() + options.lockWaitMicros;
  const uint64_t metaBytes = uint64_t{options.metaPages} * kPageBytes;
  slotOps_.resize(core_.layout.slots());
  metaPages_ = options.metaPages;
  direct_ = true;
  for (const PartOptions& part : options.parts) openPart(part, options, deadline);
  BELIEVE(parts_.back().end == options.sizeBytes, "the parts are the volume");
  const bool sideBehind = options.sidePath.empty();
  const uint64_t behind = metaBytes + (sideBehind ? options.sideBytes : 0);
  const uint64_t labelBytes = uint64_t{options.labelPages} * kPageBytes;
  for (size_t i = 0; i < parts_.size(); i++) {
    const PartOptions& part = options.parts[i];
    const bool holdsMeta = i + 1 == parts_.size() && options.metaPath.empty();
    const uint64_t data = holdsMeta || labelBytes > 0 ? roundedUp(part.sizeBytes) : part.sizeBytes;
    metaBase_ = data + labelBytes;
    const uint64_t wanted = metaBase_ + (holdsMeta ? behind : 0);
    checkSize(kindOf(parts_[i].fd, part.path), wanted, part.path);
  }
  if (options.metaPath.empty()) {
    meta_ = parts_.back().fd;
    metaInMemory_ = parts_.back().inMemory;
    return openSide(options, deadline);
  }
  metaBase_ = 0;
  meta_ = openOne(options.metaPath, options, metaDirect_);
  lock(meta_, options.metaPath, deadline);
  metaInMemory_ = Io::inMemory(meta_);
  checkSize(kindOf(meta_, options.metaPath), behind, options.metaPath);
  openSide(options, deadline);
}

void Disk::openPart(const PartOptions& part, const DiskOptions& options, int64_t deadline) {
  // What a part behind the last one has is that one's, until it is opened itself.
  const int fd = openOne(part.path, options, metaDirect_);
  const uint64_t begin = parts_.empty() ? 0 : parts_.back().end;
  parts_.push_back({part.name, fd, begin, begin + part.sizeBytes, Io::inMemory(fd)});
  direct_ = direct_ && metaDirect_;
  lock(fd, part.path, deadline);
  // Whoever allocated a file in full wants its space kept, whatever is trimmed or copied.
  struct stat status{};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    parts_.back().punches = uint64_t(status.st_blocks) * 512 < uint64_t(status.st_size);
}

Disk::Part& Disk::partAt(uint64_t offset) {
  for (Part& part : parts_)
    if (offset < part.end) return part;
  BELIEVE(false, "every byte of the volume stands in a part");
  return parts_.back();
}

void Disk::openSide(const DiskOptions& options, int64_t deadline) {
  sideBytes_ = options.sideBytes;
  if (options.sidePath.empty()) {
    side_ = meta_;
    sideBase_ = metaBase_ + uint64_t{options.metaPages} * kPageBytes;
    sideInMemory_ = metaInMemory_;
    sideDirect_ = metaDirect_;
    return;
  }
  side_ = openOne(options.sidePath, options, sideDirect_);
  lock(side_, options.sidePath, deadline);
  sideInMemory_ = Io::inMemory(side_);
  checkSize(kindOf(side_, options.sidePath), options.sideBytes, options.sidePath);
}

int Disk::openOne(const std::string& path, const DiskOptions& options, bool& direct) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0)
    throw Failure(errno == ENOENT || errno == ENOTDIR ? "REPLICA_MISSING" : "REPLICA_DENIED",
                  path + ": " + describeErrno(errno));
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
    throw Failure("REPLICA_KIND", path + " is neither a file nor a block device");
  // O_EXCL on a device keeps mount, mkfs, LVM and md off while we hold it.
  const int flags = O_RDWR | O_CLOEXEC | (S_ISBLK(status.st_mode) ? O_EXCL : 0);
  int fd = -1;
  direct = false;
  if (options.direct != Direct::Off) {
    fd = ::open(path.c_str(), flags | O_DIRECT);
    direct = fd >= 0 && directWorks(fd, options.blockBytes);
    if (!direct && options.direct == Direct::On) {
      if (fd >= 0) ::close(fd);
      throw Failure("REPLICA_DIRECT", path + " cannot be opened with O_DIRECT at this block size");
    }
    if (!direct && fd >= 0) {
      ::close(fd);
      fd = -1;
    }
  }
  if (fd < 0) fd = ::open(path.c_str(), flags);
  if (fd >= 0) return fd;
  const int error = errno;
  if (error == EBUSY)
    throw Failure("REPLICA_BUSY", path + " is in use (mounted, or another program holds it)");
  throw Failure(
      error == EACCES || error == EPERM || error == EROFS ? "REPLICA_DENIED" : "REPLICA_IO",
      path + ": " + describeErrno(error));
}

void Disk::lock(int fd, const std::string& path, int64_t deadline) {
  for (;;) {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) return;
    const int error = errno;
    if (error != EAGAIN && error != EACCES && error != EINTR)
      throw Failure("REPLICA_IO", path + ": lock: " + describeErrno(error));
    if (bootMicros() >= deadline)
      throw Failure("REPLICA_BUSY", path + " is held by another host or process");
    usleep(20000);
  }
}

void Disk::start(const Record& decision, bool write) {
  const bool zero = (decision.flags & flag::kZero) != 0;
  const uint32_t at = uint32_t(decision.link);
  // Zeroes have no payload, so they may be longer than a slot.
  if (write && zero)
    core_.slots.beginUse(decision.slot);
  else
    core_.slots.beginIo(decision.slot, at + decision.length);
  const uint64_t offset = uint64_t(decision.offset);
  const bool side = (decision.flags & flag::kSide) != 0;
  BELIEVE(decision.offset >= 0 &&
              offset + decision.length <= (side ? sideBytes_ : core_.sizeBytes),
          "a disk operation is within the volume, or its side area");
  BELIEVE(!side || !write || !zero, "the side area takes no zeroes without a payload");
  SlotOp& op = slotOps_[size_t(decision.slot)];
  const bool check = !write && (decision.flags & flag::kCheck) != 0;
  const bool digest = !write && (decision.flags & flag::kDigest) != 0;
  op = SlotOp{};
  op.offset = offset;
  op.length = decision.length;
  op.at = at;
  op.page = uint32_t(decision.status);
  BELIEVE(op.page < metaPages_, "a block stands within the metadata area");
  BELIEVE(!side || op.page == 0, "nothing of the side area stands elsewhere");
  BELIEVE(op.page == 0 || offset % kPageBytes + decision.length <= kPageBytes,
          "what stands in a page fits it");
  op.part = (decision.flags & flag::kPart) != 0;
  op.running = true;
  op.write = write;
  op.durable = write && (decision.flags & flag::kFua) != 0;
  op.check = check;
  op.digest = digest;
  op.keyed = digest && (decision.flags & flag::kResync) != 0;
  op.zero = zero;
  op.side = side;
  op.unmap = (decision.flags & flag::kUnmap) != 0;
  op.sums = (decision.flags & flag::kSums) != 0 && !(write && zero);
  // Of what is written now, not of what stands in the slot when the disk is done.
  if (write && op.sums && !op.part) op.summed = sumsOf(decision.slot, op);
  // What these read must come from the device, not from the cache that a write went through.
  if ((check || digest) && !(side ? sideDirect_ : op.page != 0 ? metaDirect_ : direct_))
    forget(op, decision.slot);
  (write ? core_.stats.localWrites : core_.stats.localReads)++;
  if (write && zero)
    submitZeroes(decision.slot);
  else
    submit(decision.slot);
}

/// Has the system's memory let go of what an operation is about to read.
void Disk::forget(SlotOp op, int32_t slot) const {
  while (op.done < op.length) {
    const FileOp file = placed(op, slot);
    posix_fadvise(file.fd, off_t(file.offset), file.length, POSIX_FADV_DONTNEED);
    op.done += file.length;
  }
}

/// By the quickest way that this file or device has; the last is to write them.
void Disk::submitZeroes(int32_t slot) {
  SlotOp& op = slotOps_[size_t(slot)];
  FileOp file = placed(op, slot);
  file.registered = -1;
  const Part& part = partAt(op.offset + op.done);
  // In the spare area, which is small, they are written.
  if (op.page != 0) op.from = Way::Write;
  op.way = op.unmap && part.punches && op.from == Way::Punch ? Way::Punch
           : part.zeroes && op.from <= Way::Range            ? Way::Range
                                                             : Way::Write;
  if (op.way == Way::Punch)
    return core_.io->zero(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
  if (op.way == Way::Range) return core_.io->zero(file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
  file.buffer = zeroPages;
  file.length = std::min(file.length, uint32_t(sizeof zeroPages));
  core_.io->write(file);
}

void Disk::zeroesCompleted(int32_t slot, int32_t result) {
  SlotOp& op = slotOps_[size_t(slot)];
  const bool again = result == -EINTR || result == -EAGAIN;
  if (op.way == Way::Sync) {
    if (again) return startZeroSync(slot);
    if (result < 0 || op.done == op.length)
      return ended(slot, result < 0 ? -result : status::kOk, 0);
    op.from = Way::Punch;
    return submitZeroes(slot);
  }
  if (again) return submitZeroes(slot);
  if (op.way != Way::Write && result < 0 && !isFailure(result)) {
    Part& part = partAt(op.offset + op.done);
    if (cannot(result)) (op.way == Way::Punch ? part.punches : part.zeroes) = false;
    op.from = op.way == Way::Punch ? Way::Range : Way::Write;
    return submitZeroes(slot);
  }
  // A write that wrote nothing: somebody cut the replica short.
  if (result < 0 || (op.way == Way::Write && result == 0))
    return ended(slot, result < 0 ? -result : status::kIo, 0);
  const uint32_t left = placed(op, slot).length;
  const uint32_t made = op.way == Way::Write ? uint32_t(result) : left;
  op.done += made;
  if (made < left) return submitZeroes(slot);
  // All that this part has of them; what is in the next one is made, and made durable, by itself.
  if (op.durable) {
    op.way = Way::Sync;
    return startZeroSync(slot);
  }
  if (op.done == op.length) return ended(slot, status::kOk, 0);
  op.from = Way::Punch;
  submitZeroes(slot);
}

/// Makes durable what the part that was zeroed last has of it.
void Disk::startZeroSync(int32_t slot) {
  SlotOp last = slotOps_[size_t(slot)];
  last.done -= 1;
  const FileOp file = placed(last, slot);
  core_.io->sync(file.fd, file.tag, file.memory);
}

/// What is left of an operation, where it stands: in its own place, the metadata area, or the side
/// area. In its own place only as much as one part has: the rest follows, in the next one.
FileOp Disk::placed(const SlotOp& op, int32_t slot) const {
  FileOp file{};
  file.length = op.length - op.done;
  file.tag = tagOf(Tag::Slot, uint64_t(slot));
  if (op.side || op.page != 0) {
    const uint64_t base =
        op.side ? sideBase_ + op.offset
                : metaBase_ + uint64_t{op.page} * kPageBytes + op.offset % kPageBytes;
    file.fd = op.side ? side_ : meta_;
    file.offset = base + op.done;
    file.memory = op.side ? sideInMemory_ : metaInMemory_;
    return file;
  }
  const uint64_t at = op.offset + op.done;
  const Part& part = partAt(at);
  file.fd = part.fd;
  file.offset = at - part.begin;
  file.length = uint32_t(std::min(uint64_t{file.length}, part.end - at));
  file.memory = part.inMemory;
  return file;
}

void Disk::submit(int32_t slot) {
  const SlotOp& op = slotOps_[size_t(slot)];
  FileOp file = placed(op, slot);
  file.buffer = core_.slots.data(slot) + op.at + op.done;
  file.registered = core_.slots.registeredIndex(slot, op.at + op.length);
  file.durable = op.durable;
  if (op.write)
    core_.io->write(file);
  else
    core_.io->read(file);
}

void Disk::slotCompleted(int32_t slot, int32_t result) {
  SlotOp& op = slotOps_[size_t(slot)];
  if (op.write && op.zero) return zeroesCompleted(slot, result);
  if (result == -EINTR || result == -EAGAIN) return submit(slot);
  int32_t outcome = status::kOk, digest = 0;
  if (result <= 0) {
    // End of file within the volume: somebody cut the replica short.
    outcome = result == 0 ? status::kIo : -result;
  } else {
    op.done += uint32_t(result);
    if (op.done < op.length) return submit(slot);
    if (!op.part && !agrees(slot, op)) outcome = status::kDiffers;
    if (op.digest && !op.part) digest = flag::kDigest;
    if (!op.write && op.sums && !op.part) op.summed = sumsOf(slot, op);
  }
  const bool read = outcome == status::kOk || outcome == status::kDiffers;
  const bool zero = read && !op.write && op.zero && !op.part &&
                    allZero(core_.slots.data(slot), op.at + op.length);
  ended(slot, outcome, (zero ? flag::kZero : 0) | digest);
}

void Disk::ended(int32_t slot, int32_t outcome, int32_t flags) {
  SlotOp& op = slotOps_[size_t(slot)];
  if (outcome > 0 && outcome != status::kDiffers) {
    if (op.side || op.page != 0)
      areaFailed(op.write, op.side, outcome);
    else
      failed(op.write ? "write" : "read", partOf(op).name, outcome);
  }
  op.running = false;
  core_.slots.endIo(slot);
  const int32_t sums = op.summed == nullptr ? 0 : flag::kSums;
  // All of the slot that is there by now: what the event says is said of that.
  const double offset = double(op.offset - op.at);
  const uint32_t length = op.at + op.length;
  core_.events.push({event::kLocalDone, slot, 0, flags | sums, offset, length, outcome},
                    op.summed);
  op.summed = nullptr;
}

/// A page with the CRC32C of each block that the range covers whole.
uint8_t* Disk::sumsOf(int32_t slot, const SlotOp& op) {
  uint8_t* page = core_.pages.take();
  const uint8_t* data = core_.slots.data(slot);
  // All that the parts are, this one the last of them.
  const uint64_t start = op.offset - op.at, end = op.offset + op.length;
  size_t count = 0;
  for (uint64_t at = roundedUp(start); at + kPageBytes <= end; at += kPageBytes) {
    BELIEVE(count < kPageBytes / sizeof(uint32_t), "the checksums of a slot fit one page");
    const uint32_t sum = crc32c(data + (at - start), kPageBytes);
    memcpy(page + 4 * count++, &sum, sizeof sum);
  }
  return page;
}

/// What was read is held against the header where it is to be; its digest stays there.
bool Disk::agrees(int32_t slot, const SlotOp& op) {
  SlotHeader& header = core_.headers[slot];
  const uint8_t* data = core_.slots.data(slot);
  // All that the parts have brought, this one the last of them.
  const uint32_t length = op.at + op.length;
  if (!op.digest) return !op.check || crc32c(data, length) == header.checksum;
  Tag128 there;
  memcpy(&there, header.digest, sizeof there);
  const SipKey& key = op.keyed ? core_.copyKeys[size_t(slot)] : kDigestKey;
  const Tag128 here = rangeDigest(key, op.offset - op.at, data, length);
  memcpy(header.digest, &here, sizeof here);
  return !op.check || sameTag(here, there);
}

void Disk::flush(uint32_t token) {
  core_.stats.localFlushes++;
  waiting_.push_back(token);
}

void Disk::startSync() {
  if (waiting_.empty() || !syncing_.empty()) return;
  syncing_.swap(waiting_);
  core_.stats.syncs++;
  syncsLeft_ = parts_.size();
  syncError_ = 0;
  for (size_t part = 0; part < parts_.size(); part++) sync(part);
}

void Disk::sync(size_t part) {
  parts_[part].syncing = true;
  core_.io->sync(parts_[part].fd, tagOf(Tag::Flush, uint64_t{part}), parts_[part].inMemory);
}

/// A flush is done when every part is stable; that of one which failed is not, whatever the others.
void Disk::syncCompleted(int32_t part, int32_t result) {
  if (result == -EINTR || result == -EAGAIN) return sync(size_t(part));
  parts_[size_t(part)].syncing = false;
  if (result < 0) {
    failed("flush", parts_[size_t(part)].name, -result);
    if (syncError_ == 0) syncError_ = -result;
  }
  if (--syncsLeft_ > 0) return;
  for (const uint32_t token : syncing_)
    core_.events.push({event::kFlushDone, 0, 0, 0, 0, token, syncError_});
  syncing_.clear();
  startSync();
}

/// The part that an operation on the data is at: that of its next byte, or of what it makes stable.
const Disk::Part& Disk::partOf(const SlotOp& op) const {
  const bool isSync = op.write && op.zero && op.way == Way::Sync;
  return partAt(op.offset + (isSync ? op.done - 1 : std::min(op.done, op.length - 1)));
}

std::string Disk::waitedFor() const {
  if (parts_.size() < 2) return "";
  std::vector<bool> waits(parts_.size());
  for (size_t i = 0; i < parts_.size(); i++) waits[i] = parts_[i].syncing;
  bool areas[2] = {pagesRunning_[0] > 0, pagesRunning_[1] > 0};
  for (const SlotOp& op : slotOps_) {
    if (!op.running) continue;
    if (op.side || op.page != 0)
      areas[op.side] = true;
    else
      waits[size_t(&partOf(op) - parts_.data())] = true;
  }
  std::string apart;
  for (const bool side : {false, true}) {
    if (!areas[side]) continue;
    const std::string name = std::string(areaDisk(side)) + ":";
    if (isBehindData(side))
      waits.back() = true;
    else if (apart != name)
      apart += (apart.empty() ? "" : " ") + name;
  }
  std::string names;
  for (size_t i = 0; i < parts_.size(); i++)
    if (waits[i]) names += (names.empty() ? "" : " ") + parts_[i].name;
  return names + (names.empty() || apart.empty() ? "" : " ") + apart;
}

/// Which part it was the engine need not know, but a person has to.
void Disk::failed(const char* what, const std::string& where, int32_t error) {
  core_.stats.diskFaults++;
  if (parts_.size() > 1) core_.stats.lastFault = where + ": " + what + ": " + describeErrno(error);
}

/// The metadata or the side area, by the name of the part whose disk has them, or their own.
void Disk::areaFailed(bool write, bool side, int32_t error) {
  const char* what = side ? (write ? "side area write" : "side area read")
                          : (write ? "metadata write" : "metadata read");
  failed(what, isBehindData(side) ? parts_.back().name : areaDisk(side), error);
}

void Disk::readPage(const Record& decision) {
  core_.stats.metaReads++;
  startPage(decision, nullptr);
}

void Disk::writePage(const uint8_t* content, const Record& decision) {
  core_.stats.metaWrites++;
  startPage(decision, content);
}

void Disk::startPage(const Record& decision, const uint8_t* content) {
  if (freePageOps_.empty())
    freePageOps_.push_back(pageOps_.emplace_back(std::make_unique<PageOp>()).get());
  PageOp* op = freePageOps_.back();
  freePageOps_.pop_back();
  const bool side = (decision.flags & flag::kSide) != 0;
  *op = {core_.pages.take(), uint64_t(decision.offset), decision.length, content != nullptr, side};
  if (content != nullptr) memcpy(op->buffer, content, kPageBytes);
  pagesRunning_[side]++;
  submit(op);
}

void Disk::submit(PageOp* op) {
  BELIEVE(op->page < (op->side ? sideBytes_ / kPageBytes : metaPages_),
          "a page is within the metadata area, or the side area");
  FileOp file{};
  file.fd = op->side ? side_ : meta_;
  file.buffer = op->buffer;
  file.length = kPageBytes;
  file.offset = (op->side ? sideBase_ : metaBase_) + op->page * kPageBytes;
  file.registered = -1;
  file.durable = op->write;
  file.tag = tagOf(Tag::Page, op);
  file.memory = op->side ? sideInMemory_ : metaInMemory_;
  if (op->write)
    core_.io->write(file);
  else
    core_.io->read(file);
}

void Disk::pageCompleted(PageOp* op, int32_t result) {
  if (result == -EINTR || result == -EAGAIN) return submit(op);
  const int32_t outcome = result == int32_t(kPageBytes) ? status::kOk
                          : result < 0                  ? -result
                                                        : status::kIo;
  pagesRunning_[op->side]--;
  if (outcome != status::kOk) areaFailed(op->write, op->side, outcome);
  const Record record{event::kMetaDone, 0, 0, 0, double(op->page), op->token, outcome};
  if (!op->write && outcome == status::kOk) {
    core_.events.push(record, op->buffer);
  } else {
    core_.events.push(record);
    core_.pages.give(op->buffer);
  }
  freePageOps_.push_back(op);
}

}  // namespace understudy
