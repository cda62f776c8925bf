#include "reactor.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace understudy {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
/// Event records left free for the caller, who appends control messages after a poll.
constexpr uint32_t kReservedEvents = 8;
constexpr uint32_t kCompletions = 256;
constexpr int64_t kInspectMicros = 250000, kTrimMicros = 2000000;
/// A wait is never longer, for the kernel's timeout does not count suspended time.
constexpr int64_t kWaitMost = 500000;
/// A time in which nobody polled counts towards a peer's silence up to this much.
constexpr int64_t kStandstillMicros = 250000;
constexpr int64_t kDrainMicros = 10000000;
constexpr int64_t kAcceptRetryMicros = 100000;
/// Events per turn, averaged over about so many turns, up to which work comes one by one. One write
/// at a time makes one event a turn; at depth 32 there are ten and more when nobody looks for them.
constexpr double kBatchMemory = 16, kEagerBatch = 2.5;
/// Bytes on sockets per turn, up to which it does. Large transfers make few events, but nobody
/// waits for each of them, and looking takes the processor from those who bring or take the next.
constexpr double kEagerBytes = 48 << 10;

void checkLayout(const Layout& layout) {
  const bool good =
      layout.events > kReservedEvents && uint64_t{layout.decisions} >= 8ull * layout.events + 64 &&
      layout.frontSlots > 0 && layout.slots() <= 4096 && layout.slotBytes >= kPageBytes &&
      layout.slotBytes % kPageBytes == 0 && layout.slotBytes <= (32u << 20) && layout.inPages > 0 &&
      layout.outPages > 0 && layout.events <= 65536 && layout.decisions <= (1u << 20) &&
      layout.inPages <= 65536 && layout.outPages <= 65536 && layout.frontSlots <= 4096 &&
      layout.peerSlots <= 4096 && layout.engineSlots <= 4096;
  if (!good)
    throw Failure("LAYOUT_INVALID", "the record layout is outside the limits of this addon");
}

std::unique_ptr<Io> makeIo(Personality personality) {
  if (personality == Personality::Epoll) return makeEpoll();
  try {
    return makeUring();
  } catch (const Failure&) {
    if (personality == Personality::Uring) throw;
    return makeEpoll();
  }
}

}  // namespace

SharedMemory::SharedMemory(size_t size) : bytes(size) {
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    throw Failure("NO_MEMORY", "mapping the record memory: " + describeErrno(errno));
  at = static_cast<uint8_t*>(mapped);
}

SharedMemory::~SharedMemory() { munmap(at, bytes); }

Reactor::Reactor(const ReactorOptions& options)
    : core_((checkLayout(options.layout), std::make_unique<Core>(options.layout))),
      disk_(*core_),
      nbd_(*core_),
      peers_(*core_),
      timerAt_(kNever) {
  const Layout& layout = options.layout;
  const Offsets at = offsetsOf(layout);
  memory_ = std::make_shared<SharedMemory>(at.total);
  clock_ = std::make_shared<SharedMemory>(kPageBytes);
  events_ = reinterpret_cast<Record*>(memory_->at + at.events);
  decisions_ = reinterpret_cast<Record*>(memory_->at + at.decisions);
  inPages_ = memory_->at + at.inPages;
  outPages_ = memory_->at + at.outPages;
  core_->headers = reinterpret_cast<SlotHeader*>(memory_->at + at.headers);
  core_->sizeBytes = options.disk.sizeBytes;
  core_->blockBytes = options.disk.blockBytes;
  core_->zeroBytes = options.disk.zeroBytes;
  disk_.open(options.disk);
  for (const PartOptions& part : options.disk.parts) nbd_.add(part.name, part.sizeBytes);
  Identity identity = options.identity;
  identity.slotBytes = layout.slotBytes;
  identity.blockBytes = options.disk.blockBytes;
  identity.sizeBytes = options.disk.sizeBytes;
  peers_.configure(identity, options.keepaliveMicros, options.silenceMicros);
  if (options.key.has_value()) {
    memcpy(peers_.key().bytes, options.key->data(), sizeof peers_.key().bytes);
    peers_.key().present = true;
  }
  core_->io = makeIo(options.personality);
  core_->slots.registerWith(*core_->io);
  peers_.spillTo(options.spills);
  wakeFd_ = eventfd(0, EFD_CLOEXEC);
  if (wakeFd_ < 0) throw Failure("NO_MEMORY", "eventfd: " + describeErrno(errno));
  tick();
  polledAt_ = core_->now;
  armWake();
}

Reactor::~Reactor() {
  if (!closed_) close();
}

void Reactor::tick() {
  core_->now = bootMicros();
  *reinterpret_cast<double*>(clock_->at) = double(core_->now);
}

uint32_t Reactor::poll(uint32_t count, double deadline) {
  Core& core = *core_;
  BELIEVE(!closed_, "a closed reactor is not polled");
  BELIEVE(count <= core.layout.decisions, "decisions fit their array");
  core.stats.polls++;
  core.stats.decisions += count;
  tick();
  if (core.now - polledAt_ > kStandstillMicros)
    peers_.excuse(core.now - polledAt_ - kStandstillMicros);
  for (uint32_t i = 0; i < count; i++) execute(decisions_[i]);
  disk_.endTurn();
  resume_ = true;
  for (;;) {
    resumeStalled();
    sendQueued();
    const double until = std::min({deadline, timerAt_, double(inspectAt_)});
    int64_t timeout = 0;
    if (core.events.empty() && !woken_ && until > double(core.now))
      timeout = std::min(int64_t(std::min(until - double(core.now), 1e15)) + 1, kWaitMost);
    turn(timeout);
    if (double(core.now) >= timerAt_) {
      timerAt_ = kNever;
      core.events.push({event::kTimer, 0, 0, 0, double(core.now), 0, 0});
    }
    if (!core.events.empty() || woken_ || double(core.now) >= deadline) break;
  }
  woken_ = false;
  polledAt_ = core.now;
  const uint32_t delivered = core.events.deliver(events_, core.layout.events - kReservedEvents,
                                                 inPages_, core.layout.inPages);
  core.stats.events += delivered;
  batch_ += (double(delivered) - batch_) / kBatchMemory;
  const uint64_t moved = core.stats.bytesSent + core.stats.bytesReceived;
  bytes_ += (double(moved - moved_) - bytes_) / kBatchMemory;
  moved_ = moved;
  core.io->setEager(batch_ <= kEagerBatch && bytes_ <= kEagerBytes);
  return delivered;
}

/// One exchange with the kernel, and what follows from it.
void Reactor::turn(int64_t timeout) {
  Core& core = *core_;
  Completion completions[kCompletions];
  const uint32_t count = core.io->wait(timeout, completions, kCompletions);
  tick();
  for (uint32_t i = 0; i < count; i++) handle(completions[i]);
  // Silence is judged only when everything that came in has been looked at.
  if (core.now >= inspectAt_) inspect(count < kCompletions);
  if (!core.closing.empty()) sweep();
}

void Reactor::execute(const Record& d) {
  Core& core = *core_;
  switch (d.op) {
    case decision::kLocalRead: return disk_.readSlot(d);
    case decision::kLocalWrite: return disk_.writeSlot(d);
    case decision::kLocalFlush: return disk_.flush(d.length);
    case decision::kMetaRead: return disk_.readPage(d);
    case decision::kMetaWrite:
      BELIEVE(d.slot >= 0 && uint32_t(d.slot) < core.layout.outPages,
              "a decision names an out-page of the layout");
      return disk_.writePage(outPages_ + size_t(d.slot) * kPageBytes, d);
    case decision::kPeerWrite: return peers_.sendWrite(d);
    case decision::kPeerAck: return peers_.sendAck(d);
    case decision::kPeerRead: return peers_.sendRead(d);
    case decision::kPeerData: return peers_.sendData(d);
    case decision::kPeerMessage:
      BELIEVE(d.slot >= 0 && uint32_t(d.slot) < core.layout.outPages,
              "a decision names an out-page of the layout");
      return peers_.sendMessage(d, outPages_ + size_t(d.slot) * kPageBytes);
    case decision::kComplete: return nbd_.complete(d);
    case decision::kFree:
      BELIEVE(core.slots.isPeer(d.slot), "only a slot that a peer's request brought is freed");
      return core.slots.leave(d.slot);
    case decision::kLinkClose: return peers_.closeLink(d.link);
    case decision::kArmTimer: timerAt_ = d.offset; return;
    // The caller carries reports to the control actor by itself.
    case decision::kReport: return;
    default: BELIEVE(false, "the engine decides only what the interface knows");
  }
}

void Reactor::handle(const Completion& completion) {
  const uint64_t tag = completion.tag;
  switch (tagKind(tag)) {
    case Tag::Receive: return tagPointer<Stream>(tag)->received(completion.result);
    case Tag::Send: resume_ = true; return tagPointer<Stream>(tag)->sent(completion.result);
    case Tag::Connect: return tagPointer<PeerConnection>(tag)->connected(completion.result);
    case Tag::Slot: return disk_.slotCompleted(tagIndex(tag), completion.result);
    case Tag::Flush: return disk_.syncCompleted(tagIndex(tag), completion.result);
    case Tag::Page: return disk_.pageCompleted(tagPointer<Disk::PageOp>(tag), completion.result);
    case Tag::Accept: return accepted(tagPointer<Listener>(tag), completion.result);
    case Tag::Spill: return peers_.bellRang();
    case Tag::Wake:
      wakeArmed_ = false;
      woken_ = true;
      return armWake();
  }
  BELIEVE(false, "every completion belongs to an operation of ours");
}

void Reactor::sendQueued() {
  // Sending never queues more, so one pass is enough.
  for (Stream* stream : core_->sending) stream->flush();
  core_->sending.clear();
}

void Reactor::resumeStalled() {
  if (!core_->slots.takeFreed() && !resume_) return;
  resume_ = false;
  nbd_.startLong();
  if (core_->stalled.empty()) return;
  std::vector<Stream*> waiting;
  waiting.swap(core_->stalled);
  for (Stream* stream : waiting) stream->resume();
}

/// Streams on their way out: closed once the kernel has let go, deleted once nobody names them.
void Reactor::sweep() {
  Core& core = *core_;
  resume_ = true;
  std::vector<Stream*> leaving;
  leaving.swap(core.closing);
  for (Stream* stream : leaving) {
    if (stream->drained()) stream->finish();
    if (!stream->deletable()) {
      core.closing.push_back(stream);
      continue;
    }
    std::erase(core.sending, stream);
    std::erase(core.stalled, stream);
    delete stream;
  }
}

void Reactor::inspect(bool judgeSilence) {
  const int64_t now = core_->now;
  nbd_.inspect();
  inspectAt_ = std::min(now + kInspectMicros, peers_.inspect(judgeSilence));
  for (const auto& listener : listeners_)
    if (!ending_ && !listener->accepting && now >= listener->retryAt) accept(*listener);
  if (now < trimAt_) return;
  trimAt_ = now + kTrimMicros;
  core_->slots.trim();
}

void Reactor::armWake() {
  if (ending_) return;
  wakeArmed_ = true;
  core_->io->awaitEvent(wakeFd_, &wakeCount_, tagOf(Tag::Wake, uint64_t{0}));
}

void Reactor::accept(Listener& listener) {
  listener.accepting = true;
  core_->io->accept(listener.fd, tagOf(Tag::Accept, &listener));
}

void Reactor::accepted(Listener* listener, int32_t result) {
  listener->accepting = false;
  if (ending_) {
    if (result >= 0) ::close(result);
    return;
  }
  if (result < 0) {
    // Out of descriptors, most likely; what is in use must go on.
    listener->retryAt = core_->now + kAcceptRetryMicros;
    inspectAt_ = std::min(inspectAt_, listener->retryAt);
    return;
  }
  accept(*listener);
  if (listener->purpose == Listener::For::Nbd)
    nbd_.accepted(result, listener->path.empty());
  else
    peers_.accepted(result);
}

uint16_t Reactor::listenNbd(const std::string& host, uint16_t port, const std::string& name) {
  if (!parseAddress(host, port).loopback)
    throw Failure(
        "NBD_NOT_LOOPBACK",
        "an export without authentication binds loopback or a Unix socket only, not " + host);
  if (!name.empty()) nbd_.setName(name);
  listeners_.push_back(listenTcp(Listener::For::Nbd, host, port));
  accept(*listeners_.back());
  return listeners_.back()->port;
}

void Reactor::listenNbdPath(const std::string& path, const std::string& name) {
  if (!name.empty()) nbd_.setName(name);
  listeners_.push_back(listenUnix(Listener::For::Nbd, path));
  accept(*listeners_.back());
}

uint16_t Reactor::listenPeer(const std::string& host, uint16_t port) {
  peers_.needKey();
  listeners_.push_back(listenTcp(Listener::For::Peer, host, port));
  accept(*listeners_.back());
  return listeners_.back()->port;
}

void Reactor::connectPeer(uint16_t node, const std::string& host, uint16_t port) {
  peers_.connectTo(node, parseAddress(host, port));
  inspectAt_ = 0;
}

void Reactor::close() {
  Core& core = *core_;
  ending_ = true;
  tick();
  for (const auto& listener : listeners_) {
    if (!listener->accepting) continue;
    // Ends a waiting accept in either personality.
    ::shutdown(listener->fd, SHUT_RDWR);
    core.io->cancel(tagOf(Tag::Accept, listener.get()));
  }
  nbd_.shutAll();
  peers_.shutAll();
  const uint64_t one = 1;
  if (wakeArmed_)
    BELIEVE(::write(wakeFd_, &one, sizeof one) == sizeof one, "an eventfd takes a wake");
  for (const int64_t limit = core.now + kDrainMicros; core.io->inFlight() > 0 && core.now < limit;)
    turn(100000);
  sweep();
  // Whatever the kernel still has may be written to at any time: give that memory up for good.
  if (core.io->inFlight() > 0) {
    core.slots.leak();
    core.pages.leak();
  }
  // Slots that the engine never completed keep their connections listed; nobody names them now.
  for (Stream* stream : std::vector(core.closing))
    if (stream->drained()) delete stream;
  core.closing.clear();
  listeners_.clear();
  disk_.close();
  closed_ = true;
  ::close(wakeFd_);
  wipe(peers_.key().bytes, sizeof peers_.key().bytes);
}

}  // namespace understudy
