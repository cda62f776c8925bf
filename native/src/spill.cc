#include "spill.h"

#include <errno.h>
#include <stdlib.h>

#include <algorithm>

#include "crc32c.h"

namespace understudy {
namespace {

/// Bytes of one read or write of the file.
constexpr uint32_t kBatchBytes = 1 << 20;
/// Writes of the file that are out at once, and what is read ahead of the socket.
constexpr size_t kWritesMax = 4;
constexpr uint64_t kAheadBytes = 4 << 20;
/// Items in memory that wait for the socket before anything goes into the file.
constexpr size_t kItemsMax = 16384;

}  // namespace

Spill::Spill(Core& core, const SpillOptions& options, std::shared_ptr<Bell> bell)
    : core_(core),
      options_(options),
      file_(std::make_unique<SpillFile>(options.folder, options.fileBytes, std::move(bell))),
      progressAt_(core.now) {}

Spill::~Spill() {
  for (Outgoing& item : back_) release(core_, item);
  for (Outgoing& item : tail_) release(core_, item);
  free(in_.own);
}

bool Spill::put(const Outgoing& item, uint64_t bytesAhead, size_t itemsAhead) {
  // When it has failed the link is about to end: until then nothing goes past what is lost here.
  if (state_ != State::On && !engaged()) return false;
  if (!engaged() && bytesAhead < options_.memoryBytes && itemsAhead < kItemsMax) return false;
  held_++;
  tail_.push_back(item);
  tailBytes_ += item.bodyBytes + sizeof item;
  return true;
}

bool Spill::next(Outgoing& item) {
  if (!back_.empty()) {
    item = back_.front();
    back_.pop_front();
    backBytes_ -= item.bodyBytes + sizeof item;
  } else if (freed_ == wrote_ && emitted_ == 0 && taken_ == 0 && !tail_.empty()) {
    // Nothing is in the file before it.
    item = tail_.front();
    tail_.pop_front();
    tailBytes_ -= item.bodyBytes + sizeof item;
  } else {
    return false;
  }
  held_--;
  return true;
}

void Spill::pump() {
  std::deque<SpillJob> jobs;
  file_->take(jobs);
  for (SpillJob& job : jobs) done(std::move(job));
  if (state_ != State::On) return;
  read();
  write();
}

void Spill::done(SpillJob&& job) {
  progressAt_ = core_.now;
  if (job.kind != SpillJob::Kind::Make) out_--;
  if (state_ == State::Failed) return;
  if (job.result < 0) return fail(describeErrno(-job.result));
  switch (job.kind) {
    case SpillJob::Kind::Make: state_ = State::On; return;
    case SpillJob::Kind::Write:
      writes_--;
      written_ += job.length;
      break;
    case SpillJob::Kind::Read:
      reading_ = false;
      freed_ += job.length;
      parse(job.buffer.get(), job.length);
      break;
  }
  buffers_.push_back(std::move(job.buffer));
}

void Spill::judge(int64_t limit) {
  if (state_ != State::On || out_ == 0 || core_.now - progressAt_ <= limit) return;
  // Not even killed does a process end before the kernel has ended its calls.
  fail("the disk does not answer, and this process can not end before it does");
}

void Spill::fail(const std::string& reason) {
  state_ = State::Failed;
  reason_ = reason;
}

std::unique_ptr<uint8_t[]> Spill::buffer() {
  if (buffers_.empty()) return std::make_unique_for_overwrite<uint8_t[]>(kBatchBytes);
  std::unique_ptr<uint8_t[]> last = std::move(buffers_.back());
  buffers_.pop_back();
  return last;
}

void Spill::submit(SpillJob::Kind kind, std::unique_ptr<uint8_t[]> from, uint32_t length,
                   uint64_t at) {
  if (out_ == 0) progressAt_ = core_.now;
  out_++;
  SpillJob job;
  job.kind = kind;
  job.buffer = std::move(from);
  job.length = length;
  job.offset = at % options_.fileBytes;
  file_->add(std::move(job));
}

void Spill::write() {
  while (writes_ < kWritesMax && !tail_.empty()) {
    const uint64_t room = options_.fileBytes - (wrote_ - freed_);
    const uint64_t straight = options_.fileBytes - wrote_ % options_.fileBytes;
    const uint32_t most = uint32_t(std::min({room, straight, uint64_t{kBatchBytes}}));
    if (most == 0) return;
    std::unique_ptr<uint8_t[]> to = buffer();
    const uint32_t length = serialize(to.get(), most);
    const uint64_t at = wrote_;
    wrote_ += length;
    writes_++;
    submit(SpillJob::Kind::Write, std::move(to), length, at);
  }
}

void Spill::read() {
  if (reading_ || backBytes_ >= kAheadBytes || asked_ == written_) return;
  const uint64_t straight = options_.fileBytes - asked_ % options_.fileBytes;
  const auto length = uint32_t(std::min({written_ - asked_, straight, uint64_t{kBatchBytes}}));
  reading_ = true;
  const uint64_t at = asked_;
  asked_ += length;
  submit(SpillJob::Kind::Read, buffer(), length, at);
}

uint32_t Spill::crcOf(const Head& head, const Outgoing& item) {
  Head plain = head;
  plain.crc = 0;
  const uint32_t crc = crc32cAfter(crc32c(&plain, sizeof plain), item.head, head.headBytes);
  return head.bodyBytes == 0 ? crc : crc32cAfter(crc, item.body, head.bodyBytes);
}

/// Puts what the tail has into `to`; an item may begin in one batch and end in another.
uint32_t Spill::serialize(uint8_t* to, uint32_t room) {
  uint32_t used = 0;
  while (used < room && !tail_.empty()) {
    Outgoing& item = tail_.front();
    if (emitted_ == 0) {
      outHead_ = {numberOut_++, item.headBytes, item.bodyBytes, 0, item.prepare ? 1u : 0u};
      outHead_.crc = crcOf(outHead_, item);
    }
    const uint64_t headEnd = sizeof outHead_ + item.headBytes, end = headEnd + item.bodyBytes;
    const uint8_t* from = nullptr;
    uint64_t left = 0;
    if (emitted_ < sizeof outHead_) {
      from = reinterpret_cast<const uint8_t*>(&outHead_) + emitted_;
      left = sizeof outHead_ - emitted_;
    } else if (emitted_ < headEnd) {
      from = item.head + (emitted_ - sizeof outHead_);
      left = headEnd - emitted_;
    } else {
      from = item.body + (emitted_ - headEnd);
      left = end - emitted_;
    }
    const auto count = uint32_t(std::min<uint64_t>(left, room - used));
    memcpy(to + used, from, count);
    used += count;
    emitted_ += count;
    if (emitted_ < end) continue;
    emitted_ = 0;
    tailBytes_ -= item.bodyBytes + sizeof item;
    release(core_, item);
    tail_.pop_front();
  }
  return used;
}

/// Takes items out of what the file had, in the order in which they went in.
void Spill::parse(const uint8_t* from, uint32_t count) {
  while (count > 0 && state_ == State::On) {
    uint8_t* to = nullptr;
    uint64_t left = 0;
    const uint64_t headEnd = sizeof inHead_ + inHead_.headBytes;
    if (taken_ < sizeof inHead_) {
      to = reinterpret_cast<uint8_t*>(&inHead_) + taken_;
      left = sizeof inHead_ - taken_;
    } else if (taken_ < headEnd) {
      to = in_.head + (taken_ - sizeof inHead_);
      left = headEnd - taken_;
    } else {
      to = in_.own + (taken_ - headEnd);
      left = headEnd + inHead_.bodyBytes - taken_;
    }
    const auto part = uint32_t(std::min<uint64_t>(left, count));
    memcpy(to, from, part);
    from += part;
    count -= part;
    taken_ += part;
    if (taken_ == sizeof inHead_ && !begun()) return;
    if (taken_ >= sizeof inHead_ &&
        taken_ == sizeof inHead_ + inHead_.headBytes + inHead_.bodyBytes)
      finished();
  }
}

/// The head of an item is there: nothing of it is believed that could do harm.
bool Spill::begun() {
  const uint32_t most = std::max(core_.layout.slotBytes, uint32_t{kPageBytes});
  if (inHead_.number != numberIn_ || inHead_.headBytes > sizeof in_.head ||
      inHead_.bodyBytes > most)
    return fail("what the disk answers was never written there"), false;
  in_ = {};
  in_.slot = -1;
  if (inHead_.bodyBytes == 0) return true;
  in_.own = static_cast<uint8_t*>(malloc(inHead_.bodyBytes));
  if (in_.own == nullptr) return fail("there is no memory for what is read"), false;
  in_.body = in_.own;
  return true;
}

void Spill::finished() {
  if (inHead_.crc != crcOf(inHead_, in_))
    return fail("what the disk answers is not what was written there");
  in_.headBytes = inHead_.headBytes;
  in_.bodyBytes = inHead_.bodyBytes;
  in_.prepare = inHead_.prepare != 0;
  numberIn_++;
  taken_ = 0;
  back_.push_back(in_);
  backBytes_ += in_.bodyBytes + sizeof in_;
  in_ = {};
}

}  // namespace understudy
