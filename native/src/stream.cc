#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

namespace understudy {
namespace {

constexpr uint32_t kBufferBytes = 128 << 10;
/// Most bytes of one receive into the buffer.
constexpr uint32_t kReceiveBytes = 64 << 10;
/// A body with this much missing is received straight into its slot.
constexpr uint32_t kStraightBytes = 16 << 10;
/// While bodies are this large, heads are received in small steps.
constexpr uint32_t kLargeBody = 48 << 10;
constexpr uint32_t kHeadStep = 1024;
/// Most items of one gathered send.
constexpr size_t kGather = 256;

bool transient(int32_t result) { return result == -EINTR || result == -EAGAIN; }

}  // namespace

Stream::~Stream() {
  if (fd_ >= 0) close(fd_);
}

void Stream::pump() {
  const bool before = stalled_;
  stalled_ = false;
  while (!closing_ && !stopped_) {
    if (bodyLeft_ > 0) {
      const uint32_t count = available() < bodyLeft_ ? available() : bodyLeft_;
      if (count == 0) break;
      if (body_ != nullptr) {
        memcpy(body_, bytes(), count);
        body_ += count;
      }
      head_ += count;
      bodyLeft_ -= count;
      if (bodyLeft_ == 0) bodyArrived();
      continue;
    }
    const Parsed parsed = parse();
    if (parsed == Parsed::NeedBytes) break;
    if (parsed == Parsed::Stalled) {
      stalled_ = true;
      if (!before) core_.stats.stalls++;
      core_.stalled.push_back(this);
      return;
    }
    if (bodyLeft_ > 0) largeBodies_ = bodyLeft_ >= kLargeBody;
  }
  receiveMore();
}

void Stream::receiveMore() {
  if (receiving_ || closing_ || stopped_) return;
  receiving_ = true;
  receivingBody_ = head_ == tail_ && body_ != nullptr && bodyLeft_ >= kStraightBytes;
  if (receivingBody_) return core_.io->receive(fd_, body_, bodyLeft_, tagOf(Tag::Receive, this));
  if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<uint8_t[]>(kBufferBytes);
  if (head_ == tail_) {
    head_ = tail_ = 0;
  } else if (kBufferBytes - tail_ < kReceiveBytes) {
    memmove(buffer_.get(), bytes(), available());
    tail_ -= head_;
    head_ = 0;
  }
  uint32_t room = kBufferBytes - tail_;
  BELIEVE(room > 0, "a protocol consumes what it asked for");
  const uint32_t step = largeBodies_ && bodyLeft_ == 0 ? kHeadStep : kReceiveBytes;
  if (room > step) room = step;
  core_.io->receive(fd_, buffer_.get() + tail_, room, tagOf(Tag::Receive, this));
}

void Stream::received(int32_t result) {
  receiving_ = false;
  if (closing_) return;
  if (transient(result)) return receiveMore();
  if (result <= 0) return shut();
  heardAt_ = core_.now;
  core_.stats.bytesReceived += uint64_t(result);
  heard();
  if (receivingBody_) {
    body_ += result;
    bodyLeft_ -= uint32_t(result);
    if (bodyLeft_ == 0) bodyArrived();
  } else {
    tail_ += uint32_t(result);
  }
  pump();
}

void Stream::resume() {
  if (stalled_ && !closing_) pump();
}

void Stream::queue(const Outgoing& item) {
  if (closing_) {
    Outgoing dropped = item;
    return release(core_, dropped);
  }
  if (!divert(item)) enqueue(item);
  announce();
}

void Stream::announce() {
  if (listed_ || closing_) return;
  listed_ = true;
  core_.sending.push_back(this);
}

void Stream::flush() {
  listed_ = false;
  if (closing_) return;
  refill();
  if (sending_ || closing_ || waiting_.empty()) return;
  const auto end = waiting_.begin() + ptrdiff_t(std::min(kGather, waiting_.size()));
  flying_.assign(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  for (const Outgoing& item : flying_) waitingBytes_ -= item.bodyBytes;
  vectors_.clear();
  nextVector_ = 0;
  for (Outgoing& item : flying_) {
    if (item.prepare) prepare(item);
    vectors_.push_back({item.head, item.headBytes});
    if (item.bodyBytes > 0) vectors_.push_back({const_cast<uint8_t*>(item.body), item.bodyBytes});
  }
  submitSend();
}

void Stream::submitSend() {
  message_ = {};
  message_.msg_iov = vectors_.data() + nextVector_;
  message_.msg_iovlen = vectors_.size() - nextVector_;
  sending_ = true;
  core_.io->send(fd_, &message_, tagOf(Tag::Send, this));
}

void Stream::sent(int32_t result) {
  sending_ = false;
  progressAt_ = core_.now;
  if (!closing_) {
    if (transient(result)) return submitSend();
    if (result > 0) {
      core_.stats.bytesSent += uint64_t(result);
      size_t left = size_t(result);
      while (nextVector_ < vectors_.size() && left >= vectors_[nextVector_].iov_len)
        left -= vectors_[nextVector_++].iov_len;
      if (nextVector_ < vectors_.size()) {
        iovec& first = vectors_[nextVector_];
        first.iov_base = static_cast<uint8_t*>(first.iov_base) + left;
        first.iov_len -= left;
        return submitSend();
      }
    }
  }
  for (Outgoing& item : flying_) release(core_, item);
  flying_.clear();
  if (closing_) return;
  if (result <= 0) return shut();
  if (!waiting_.empty() || diverted()) return announce();
  quiet();
  if (stopped_) shut();
}

void Stream::shutWhenSent() {
  stopped_ = true;
  if (idle()) shut();
}

void Stream::shut() {
  if (closing_) return;
  closing_ = true;
  stalled_ = false;
  // A pending receive or send ends at once, with whatever it then says.
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  for (Outgoing& item : waiting_) release(core_, item);
  waiting_.clear();
  waitingBytes_ = 0;
  core_.closing.push_back(this);
}

void Stream::finish() {
  if (finished_) return;
  finished_ = true;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  buffer_.reset();
  gone();
}

void release(Core& core, Outgoing& item) {
  if (item.slot >= 0) core.slots.dropSend(item.slot);
  if (item.page != nullptr) core.pages.give(item.page);
  free(item.own);
  item.slot = -1;
  item.page = nullptr;
  item.own = nullptr;
}

}  // namespace understudy
