#include "nbd.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>

#include "net.h"

namespace understudy {
namespace {

constexpr uint64_t kMagic = 0x4e42444d41474943, kOptionMagic = 0x49484156454f5054,
                   kReplyMagic = 0x3e889045565a9;
constexpr uint32_t kRequestMagic = 0x25609513, kSimpleReplyMagic = 0x67446698;
constexpr uint16_t kFixedNewstyle = 1, kNoZeroes = 2;
constexpr uint32_t kOptExportName = 1, kOptAbort = 2, kOptList = 3, kOptInfo = 6, kOptGo = 7;
constexpr uint32_t kRepAck = 1, kRepServer = 2, kRepInfo = 3;
constexpr uint32_t kErrUnsupported = 0x80000001, kErrInvalid = 0x80000003, kErrUnknown = 0x80000006,
                   kErrShutdown = 0x80000007, kErrTooBig = 0x80000009;
constexpr uint16_t kInfoExport = 0, kInfoBlockSize = 3;
constexpr uint16_t kCommandRead = 0, kCommandWrite = 1, kCommandDisconnect = 2, kCommandFlush = 3;
constexpr uint16_t kCommandTrim = 4, kCommandWriteZeroes = 6;
constexpr uint16_t kCommandFua = 1, kCommandNoHole = 2;
/// HAS_FLAGS, SEND_FLUSH, SEND_FUA, SEND_TRIM, SEND_WRITE_ZEROES, CAN_MULTI_CONN: one reactor
/// serves all connections, so a flush on one covers what was completed on every other.
constexpr uint16_t kExportFlags = 1 | 4 | 8 | 32 | 64 | 256;
constexpr uint32_t kRequestBytes = 28, kOptionBytes = 16;

/// Longest option; a name may have 4096 bytes.
constexpr uint32_t kOptionMax = 8192;
constexpr uint32_t kOptionsMax = 64;
/// Longest name of an export; the addon's callers are held to it.
constexpr uint32_t kNameMax = 64;
constexpr size_t kConnectionsMax = 128;
constexpr int64_t kNegotiationMicros = 10000000;
/// A client that reads nothing for so long, while no slot is free, loses its connection.
constexpr int64_t kStuckMicros = 10000000;
/// A refused write's payload is read past up to this; beyond it the connection ends.
constexpr uint32_t kDiscardMax = 32 << 20;
/// Requests for zeroes longer than a slot: how many may have slots at once, so that others find
/// some and disks are not asked to write gigabytes at a time; how many one client may have waiting.
constexpr uint32_t kLongMax = 4;
constexpr size_t kLongWaiting = 256;
/// Answers that a client may leave unread before it is read from no more.
constexpr size_t kRepliesMax = 4096;

uint32_t nbdError(int32_t status) {
  switch (status) {
    case 0:
    case EPERM:
    case EIO:
    case ENOMEM:
    case EINVAL:
    case ENOSPC:
    case EOVERFLOW:
    case ESHUTDOWN: return uint32_t(status);
    case EOPNOTSUPP: return 95;
    default: return EIO;
  }
}

}  // namespace

NbdConnection::NbdConnection(Core& core, NbdServer& server, int fd)
    : Stream(core), server_(server), since_(core.now) {
  heardAt_ = core.now;
  adopt(fd);
  server.connections_.push_back(this);
}

NbdConnection::~NbdConnection() { std::erase(server_.connections_, this); }

void NbdConnection::start() {
  Outgoing greeting{};
  greeting.slot = -1;
  storeBe(greeting.head, kMagic);
  storeBe(greeting.head + 8, kOptionMagic);
  storeBe<uint16_t>(greeting.head + 16, kFixedNewstyle | kNoZeroes);
  greeting.headBytes = 18;
  queue(greeting);
  begin();
}

Stream::Parsed NbdConnection::parse() {
  switch (phase_) {
    case Phase::Flags: return parseFlags();
    case Phase::Options: return parseOption();
    default: return parseRequest();
  }
}

Stream::Parsed NbdConnection::parseFlags() {
  if (available() < 4) return Parsed::NeedBytes;
  const uint32_t flags = loadBe<uint32_t>(bytes());
  consume(4);
  if ((flags & ~uint32_t{kFixedNewstyle | kNoZeroes}) != 0) {
    core_.stats.nbdRejected++;
    shut();
    return Parsed::Progress;
  }
  noZeroes_ = (flags & kNoZeroes) != 0;
  phase_ = Phase::Options;
  return Parsed::Progress;
}

Stream::Parsed NbdConnection::parseOption() {
  if (available() < kOptionBytes) return Parsed::NeedBytes;
  const uint32_t option = loadBe<uint32_t>(bytes() + 8), length = loadBe<uint32_t>(bytes() + 12);
  if (loadBe<uint64_t>(bytes()) != kOptionMagic || length > kDiscardMax ||
      ++options_ > kOptionsMax) {
    core_.stats.nbdRejected++;
    shut();
    return Parsed::Progress;
  }
  if (length > kOptionMax) {
    consume(kOptionBytes);
    refuseOption(option, kErrTooBig, "option too long");
    expectBody(nullptr, length);
    return Parsed::Progress;
  }
  if (available() < kOptionBytes + length) {
    options_--;
    return Parsed::NeedBytes;
  }
  consume(kOptionBytes);
  const uint8_t* data = bytes();
  consume(length);
  answerOption(option, data, length);
  return Parsed::Progress;
}

void NbdConnection::answerOption(uint32_t option, const uint8_t* data, uint32_t length) {
  switch (option) {
    case kOptExportName: return exportByName(data, length);
    case kOptAbort: sendOption(option, kRepAck, nullptr, 0); return shutWhenSent();
    case kOptList:
      if (length != 0) return refuseOption(option, kErrInvalid, "LIST takes no data");
      return list();
    case kOptInfo:
    case kOptGo: return answerInfo(option, data, length);
    default: return refuseOption(option, kErrUnsupported, "not supported");
  }
}

void NbdConnection::list() {
  for (const NbdExport& each : server_.exports_) {
    uint8_t entry[4 + kNameMax];
    const uint32_t name = uint32_t(each.name.size());
    storeBe(entry, name);
    memcpy(entry + 4, each.name.data(), name);
    sendOption(kOptList, kRepServer, entry, 4 + name);
  }
  sendOption(kOptList, kRepAck, nullptr, 0);
}

void NbdConnection::answerInfo(uint32_t option, const uint8_t* data, uint32_t length) {
  const uint32_t name = length >= 4 ? loadBe<uint32_t>(data) : 0;
  const bool whole = length >= 6 && name <= length - 6 &&
                     length == 4 + name + 2 + 2u * loadBe<uint16_t>(data + 4 + name);
  if (!whole) return refuseOption(option, kErrInvalid, "malformed");
  const char* text = "";
  const NbdExport* found = nullptr;
  const uint32_t error = refusal(data + 4, name, &text, &found);
  if (error != 0) return refuseOption(option, error, text);
  uint8_t info[14];
  storeBe(info, kInfoExport);
  storeBe(info + 2, found->bytes);
  storeBe(info + 10, kExportFlags);
  sendOption(option, kRepInfo, info, 12);
  storeBe(info, kInfoBlockSize);
  storeBe(info + 2, core_.blockBytes);
  storeBe(info + 6, uint32_t{4096});
  storeBe(info + 10, core_.layout.slotBytes);
  sendOption(option, kRepInfo, info, 14);
  sendOption(option, kRepAck, nullptr, 0);
  if (option != kOptGo) return;
  export_ = found;
  phase_ = Phase::Transmission;
}

void NbdConnection::exportByName(const uint8_t* name, uint32_t length) {
  const char* text = "";
  // This old option has no way to say no but to hang up.
  if (refusal(name, length, &text, &export_) != 0) return shut();
  Outgoing answer{};
  answer.slot = -1;
  storeBe(answer.head, export_->bytes);
  storeBe(answer.head + 8, kExportFlags);
  answer.headBytes = 10;
  if (!noZeroes_) {
    answer.page = core_.pages.take();
    memset(answer.page, 0, 124);
    answer.body = answer.page;
    answer.bodyBytes = 124;
  }
  queue(answer);
  phase_ = Phase::Transmission;
}

uint32_t NbdConnection::refusal(const uint8_t* name, uint32_t length, const char** text,
                                const NbdExport** found) const {
  // No name means the only one.
  const bool only = server_.exports_.size() == 1;
  if (length == 0 && !only) return *text = "say which export: there are several", kErrUnknown;
  const NbdExport* known = nullptr;
  for (const NbdExport& each : server_.exports_) {
    const bool named = length == each.name.size() && memcmp(name, each.name.data(), length) == 0;
    if (named || length == 0) known = &each;
  }
  if (known == nullptr) return *text = "no such export", kErrUnknown;
  if (!server_.open_) return *text = "not the primary", kErrShutdown;
  *found = known;
  return 0;
}

void NbdConnection::refuseOption(uint32_t option, uint32_t type, const char* text) {
  sendOption(option, type, text, uint32_t(strlen(text)));
}

void NbdConnection::sendOption(uint32_t option, uint32_t type, const void* data, uint32_t length) {
  Outgoing answer{};
  answer.slot = -1;
  storeBe(answer.head, kReplyMagic);
  storeBe(answer.head + 8, option);
  storeBe(answer.head + 12, type);
  storeBe(answer.head + 16, length);
  BELIEVE(20 + length <= sizeof answer.head, "our option answers are short");
  if (length > 0) memcpy(answer.head + 20, data, length);
  answer.headBytes = 20 + length;
  queue(answer);
}

Stream::Parsed NbdConnection::parseRequest() {
  if (available() < kRequestBytes) return Parsed::NeedBytes;
  const uint8_t* at = bytes();
  const uint16_t flags = loadBe<uint16_t>(at + 4), type = loadBe<uint16_t>(at + 6);
  const uint64_t cookie = loadBe<uint64_t>(at + 8), from = loadBe<uint64_t>(at + 16);
  const uint32_t length = loadBe<uint32_t>(at + 24);
  const bool zeroes = type == kCommandTrim || type == kCommandWriteZeroes;
  const bool write = type == kCommandWrite, transfer = write || type == kCommandRead || zeroes;
  const uint16_t known = type == kCommandWriteZeroes ? kCommandFua | kCommandNoHole : kCommandFua;
  if (loadBe<uint32_t>(at) != kRequestMagic || (write && length > kDiscardMax)) {
    core_.stats.nbdRejected++;
    shut();
    return Parsed::Progress;
  }
  if (type == kCommandDisconnect) {
    consume(kRequestBytes);
    leaving_ = true;
    maybeEnd();
    return closing() ? Parsed::Progress : Parsed::NeedBytes;
  }
  if (leaving_) {
    // Nothing may follow a disconnect.
    consume(available());
    return Parsed::NeedBytes;
  }
  uint32_t error = 0;
  if (retired_)
    error = ESHUTDOWN;
  else if (!transfer && type != kCommandFlush)
    error = EINVAL;
  else if ((flags & ~known) != 0)
    error = EINVAL;
  else if (transfer && (length == 0 || length % core_.blockBytes != 0 ||
                        (!zeroes && length > core_.layout.slotBytes)))
    error = EINVAL;
  else if (transfer && (from % core_.blockBytes != 0 || from > export_->bytes ||
                        length > export_->bytes - from))
    error = write || zeroes ? ENOSPC : EINVAL;
  if (error != 0) {
    if (queued() > kRepliesMax) return Parsed::Stalled;
    consume(kRequestBytes);
    if (!write || length == 0) {
      reply(cookie, error);
      return Parsed::Progress;
    }
    refused_ = error;
    refusedCookie_ = cookie;
    expectBody(nullptr, length);
    return Parsed::Progress;
  }
  if (core_.crowded()) return Parsed::Stalled;
  // From here on it is a place in the volume.
  const uint64_t offset = export_->begin + (transfer ? from : 0);
  int32_t asked = (write || zeroes) && (flags & kCommandFua) != 0 ? flag::kFua : 0;
  if (zeroes) asked |= flag::kZero;
  // A trim has no need of the space; zeroes may give it back unless the client wants to keep it.
  if (zeroes && (flags & kCommandNoHole) == 0) asked |= flag::kUnmap;
  if (zeroes && length > core_.layout.slotBytes) {
    if (long_.size() >= kLongWaiting) return Parsed::Stalled;
    consume(kRequestBytes);
    long_.push_back({cookie, offset, length, asked, type});
    server_.startLong();
    return Parsed::Progress;
  }
  const int32_t slot = core_.slots.takeFront();
  if (slot < 0) return Parsed::Stalled;
  consume(kRequestBytes);
  Slot& taken = core_.slots.at(slot);
  taken.owner = this;
  taken.cookie = cookie;
  taken.kind = uint8_t(type);
  taken.length = transfer ? length : 0;
  taken.next = transfer ? offset : 0;
  taken.left = taken.length;
  taken.flags = asked;
  taken.isLong = false;
  if (!write) {
    hand(slot);
    return Parsed::Progress;
  }
  filling_ = slot;
  core_.slots.touch(slot, length);
  expectBody(core_.slots.data(slot), length);
  return Parsed::Progress;
}

void NbdConnection::bodyArrived() {
  if (filling_ >= 0) {
    const int32_t slot = filling_;
    filling_ = -1;
    return hand(slot);
  }
  if (refused_ != 0) reply(refusedCookie_, refused_);
  refused_ = 0;
}

void NbdConnection::hand(int32_t slot) {
  core_.slots.admit(slot);
  requests_++;
  core_.stats.nbdRequests++;
  ask(slot);
}

void NbdConnection::beginLong(int32_t slot) {
  const Long& first = long_.front();
  Slot& taken = core_.slots.at(slot);
  taken.owner = this;
  taken.cookie = first.cookie;
  taken.kind = uint8_t(first.type);
  taken.length = taken.left = first.length;
  taken.next = first.offset;
  taken.flags = first.flags;
  taken.isLong = true;
  long_.pop_front();
  hand(slot);
}

/// Hands the engine the request, or the next piece of it: zeroes may be longer than what the engine
/// takes at once, and pieces end where multiples of that do.
void NbdConnection::ask(int32_t slot) {
  Slot& taken = core_.slots.at(slot);
  const int32_t op = taken.kind == kCommandRead    ? event::kReqRead
                     : taken.kind == kCommandFlush ? event::kReqFlush
                                                   : event::kReqWrite;
  uint32_t piece = taken.left;
  if ((taken.flags & flag::kZero) != 0)
    piece = std::min(piece, core_.zeroBytes - uint32_t(taken.next % core_.zeroBytes));
  SlotHeader& header = core_.headers[slot];
  header = {};
  header.request = ++server_.requestIds_;
  const double offset = double(taken.next);
  taken.next += piece;
  taken.left -= piece;
  core_.events.push({op, slot, 0, taken.flags, offset, piece, 0});
}

void NbdConnection::complete(int32_t slot, int32_t status) {
  Slot& request = core_.slots.engineSlot(slot);
  BELIEVE(requests_ > 0, "a request is completed once");
  if (status == 0 && request.left > 0 && !closing()) return ask(slot);
  requests_--;
  if (request.isLong) server_.longs_--;
  if (!closing()) {
    Outgoing answer{};
    answer.slot = -1;
    storeBe(answer.head, kSimpleReplyMagic);
    storeBe(answer.head + 4, nbdError(status));
    storeBe(answer.head + 8, request.cookie);
    answer.headBytes = 16;
    if (status == 0 && request.kind == kCommandRead) {
      answer.body = core_.slots.data(slot);
      answer.bodyBytes = request.length;
      answer.slot = slot;
      core_.slots.holdForSend(slot);
    }
    queue(answer);
  }
  core_.slots.leave(slot);
  server_.startLong();
  maybeEnd();
}

void NbdConnection::reply(uint64_t cookie, uint32_t error) {
  Outgoing answer{};
  answer.slot = -1;
  storeBe(answer.head, kSimpleReplyMagic);
  storeBe(answer.head + 4, error);
  storeBe(answer.head + 8, cookie);
  answer.headBytes = 16;
  queue(answer);
}

void NbdConnection::retire() {
  if (phase_ != Phase::Transmission) return;
  retired_ = true;
  for (const Long& refused : long_) reply(refused.cookie, ESHUTDOWN);
  long_.clear();
  maybeEnd();
}

void NbdConnection::maybeEnd() {
  const bool busy = requests_ > 0 || !long_.empty() || filling_ >= 0 || inBody();
  if ((leaving_ || retired_) && !busy) shutWhenSent();
}

void NbdConnection::inspect() {
  if (closing()) return;
  if (phase_ != Phase::Transmission && core_.now - since_ > kNegotiationMicros) {
    core_.stats.nbdTimeouts++;
    return shut();
  }
  if (!idle() && core_.slots.freeFront() == 0 &&
      core_.now - std::max(progressAt_, heardAt_) > kStuckMicros) {
    core_.stats.nbdTimeouts++;
    shut();
  }
}

void NbdConnection::gone() {
  if (filling_ >= 0) core_.slots.abandon(filling_);
  filling_ = -1;
  long_.clear();
}

void NbdServer::startLong() {
  // Round and round, so that a client with many does not keep the others from theirs.
  for (size_t looked = 0; longs_ < kLongMax && looked < connections_.size(); looked++) {
    NbdConnection* connection = connections_[next_++ % connections_.size()];
    if (connection->closing() || connection->long_.empty()) continue;
    const int32_t slot = core_.slots.takeFront();
    if (slot < 0) return;
    longs_++;
    looked = 0;
    connection->beginLong(slot);
  }
}

void NbdServer::add(const std::string& name, uint64_t bytes) {
  const uint64_t begin = exports_.empty() ? 0 : exports_.back().begin + exports_.back().bytes;
  exports_.push_back({name, begin, bytes});
}

void NbdServer::setName(const std::string& name) {
  if (exports_.size() == 1) exports_.front().name = name;
}

void NbdServer::setBytes(uint64_t bytes) {
  // Who is connected goes by the size that it was shown, and may ask for what is behind it, too.
  if (exports_.size() == 1) exports_.front().bytes = std::min(bytes, core_.sizeBytes);
}

void NbdServer::setOpen(bool open) {
  open_ = open;
  if (open) return;
  for (NbdConnection* connection : std::vector(connections_)) connection->retire();
}

bool NbdServer::makeRoom() {
  size_t there = 0;
  NbdConnection* longest = nullptr;
  // In the order in which they came.
  for (NbdConnection* connection : connections_) {
    if (connection->closing()) continue;
    there++;
    if (longest == nullptr && connection->phase_ != NbdConnection::Phase::Transmission) {
      longest = connection;
    }
  }
  // Those that end may wait for the disk yet.
  if (connections_.size() >= 2 * kConnectionsMax) return false;
  if (there < kConnectionsMax) return true;
  if (longest == nullptr) return false;
  // Clients say what they want at once: so whoever only holds the line keeps nobody out.
  core_.stats.nbdTimeouts++;
  longest->shut();
  return true;
}

void NbdServer::accepted(int fd, bool tcp) {
  if (!makeRoom()) {
    core_.stats.nbdRefused++;
    ::close(fd);
    return;
  }
  core_.stats.nbdConnections++;
  const int one = 1;
  if (tcp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  (new NbdConnection(core_, *this, fd))->start();
}

void NbdServer::complete(const Record& decision) {
  BELIEVE(core_.slots.isFront(decision.slot), "only a front-end request is completed");
  Slot& slot = core_.slots.engineSlot(decision.slot);
  static_cast<NbdConnection*>(slot.owner)->complete(decision.slot, decision.status);
}

void NbdServer::inspect() {
  startLong();
  for (NbdConnection* connection : connections_) connection->inspect();
}

void NbdServer::shutAll() {
  for (NbdConnection* connection : connections_) connection->shut();
}

}  // namespace understudy
