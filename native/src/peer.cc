#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
namespace understudy {
namespace {

constexpr int64_t kHandshakeMicros = 5000000;
/// Connections that have not yet proved themselves; beyond it the oldest makes room, so that
/// strangers who say nothing cannot keep a peer out.
constexpr size_t kUnprovenMax = 32;
constexpr int64_t kBackOffFirst = 100000, kBackOffMost = 500000;

/// Whether a read, or its answer, is about a digest in place of the payload.
bool isDigest(uint32_t flags) { return (flags & uint32_t{flag::kDigest}) != 0; }

/// Whether the digest is to spare a copy: that one is under the link's key.
bool isForCopy(uint32_t flags) {
  return isDigest(flags) && (flags & uint32_t{flag::kResync}) != 0;
}

}  // namespace

PeerConnection::PeerConnection(Core& core, PeerNetwork& network, int fd, Endpoint* endpoint)
    : Stream(core), network_(network), endpoint_(endpoint), since_(core.now), sentAt_(core.now) {
  heardAt_ = core.now;
  adopt(fd);
  network.connections_.push_back(this);
}

PeerConnection::~PeerConnection() { std::erase(network_.connections_, this); }

void PeerConnection::startConnect(const Address& address) {
  target_ = address;
  phase_ = Phase::Connecting;
  connecting_ = true;
  core_.io->connect(fd_, reinterpret_cast<const sockaddr*>(&target_.storage), target_.length,
                    tagOf(Tag::Connect, this));
}

void PeerConnection::connected(int32_t result) {
  connecting_ = false;
  if (closing()) return;
  if (result < 0) {
    core_.stats.connectFailures++;
    return shut();
  }
  start();
}

void PeerConnection::start() {
  phase_ = Phase::Hello;
  since_ = heardAt_ = core_.now;
  tuneTcp(fd_, network_.silenceMicros_);
  core_.stats.peerConnections++;
  ourHello_ = Session::makeHello(network_.identity_);
  Outgoing item{};
  item.slot = -1;
  item.headBytes = uint32_t(ourHello_.size());
  BELIEVE(item.headBytes <= sizeof item.head, "our hello is short");
  memcpy(item.head, ourHello_.data(), item.headBytes);
  queue(item);
  begin();
}

Stream::Parsed PeerConnection::parse() {
  switch (phase_) {
    case Phase::Hello: return parseHello();
    case Phase::Proof: return parseProof();
    case Phase::Up: return parseFrame();
    default: return Parsed::Stalled;
  }
}

Stream::Parsed PeerConnection::parseHello() {
  if (available() < kHelloPrefix) return Parsed::NeedBytes;
  const uint32_t body = loadLe<uint16_t>(bytes() + 8);
  if (memcmp(bytes(), kHelloMagic, 8) != 0 || body < kHelloBody || body > kHelloBodyMax) {
    refuse("hello");
    return Parsed::Progress;
  }
  if (available() < kHelloPrefix + body) return Parsed::NeedBytes;
  theirHello_.assign(bytes(), bytes() + kHelloPrefix + body);
  consume(kHelloPrefix + body);
  node_ = loadLe<uint16_t>(theirHello_.data() + 14);
  if (!acceptable()) return Parsed::Progress;
  const bool connecting = endpoint_ != nullptr;
  session_.derive(network_.key_, connecting ? ourHello_ : theirHello_,
                  connecting ? theirHello_ : ourHello_, connecting);
  phase_ = Phase::Proof;
  if (connecting) {
    Outgoing proof{};
    proof.slot = -1;
    proof.headBytes = kProofBytes;
    session_.storeProof(proof.head);
    queue(proof);
  }
  return Parsed::Progress;
}

/// The reasons to refuse a hello that tell nothing a stranger could not know.
bool PeerConnection::acceptable() const {
  auto* self = const_cast<PeerConnection*>(this);
  const Identity& ours = network_.identity_;
  const uint8_t* hello = theirHello_.data();
  if (loadLe<uint16_t>(hello + 10) > kWireMax || loadLe<uint16_t>(hello + 12) < kWireMin)
    return self->refuse("version"), false;
  if (memcmp(hello + 18, ours.volume, 16) != 0) return self->refuse("volume"), false;
  const bool expected =
      endpoint_ != nullptr ? node_ == endpoint_->node : node_ >= 1 && node_ < ours.node;
  if (!expected) return self->refuse("node"), false;
  return true;
}

Stream::Parsed PeerConnection::parseProof() {
  if (available() < kProofBytes) return Parsed::NeedBytes;
  const bool proven = session_.proves(bytes());
  consume(kProofBytes);
  if (!proven) {
    core_.stats.authFailures++;
    refuse("authentication");
    return Parsed::Progress;
  }
  if (endpoint_ == nullptr) {
    Outgoing proof{};
    proof.slot = -1;
    proof.headBytes = kProofBytes;
    session_.storeProof(proof.head);
    queue(proof);
  }
  phase_ = Phase::Waiting;
  network_.authenticated(this);
  return Parsed::Progress;
}

void PeerConnection::raise() {
  phase_ = Phase::Up;
  link_ = network_.nextLink_++;
  BELIEVE(link_ < INT32_MAX, "link numbers do not run out");
  if (endpoint_ != nullptr) endpoint_->backOff = 0;
  core_.stats.linksUp++;
  core_.events.push({event::kLinkUp, 0, link_, 0, double(node_), 0, 0});
}

Stream::Parsed PeerConnection::parseFrame() {
  if (available() < kWireRecord + kWireTag) return Parsed::NeedBytes;
  frame_.load(bytes());
  const uint32_t body = frame_.bodyBytes;
  // Nothing is authenticated yet: only bounds that protect us are judged here.
  bool bounded = false;
  switch (frame_.type) {
    case FrameType::Write:
      bounded = frame_.zeroes() ? body == 0 && frame_.asked > 0
                                : body > 0 && body <= core_.layout.slotBytes;
      break;
    case FrameType::Message: bounded = body > 0 && body <= kPageBytes; break;
    case FrameType::Ack:
    case FrameType::Alive: bounded = body == 0; break;
    case FrameType::Read:
      bounded = body == 0 && frame_.asked > 0 && frame_.asked <= core_.layout.slotBytes;
      break;
    case FrameType::Data: bounded = body <= core_.layout.slotBytes; break;
  }
  if (!bounded) {
    reject("frame bounds");
    return Parsed::Progress;
  }
  const uint32_t head = kWireRecord + kWireTag + (frame_.bulk() ? kHeaderBytes : 0);
  if (available() < head) return Parsed::NeedBytes;
  if (frame_.type != FrameType::Alive && core_.crowded()) return Parsed::Stalled;
  int32_t target = -1;
  if (frame_.type == FrameType::Write || frame_.type == FrameType::Read) {
    target = filling_ = core_.slots.takePeer();
    if (filling_ < 0) return Parsed::Stalled;
  } else if (frame_.type == FrameType::Data) {
    const auto asked = askedFor(double(frame_.offset));
    if (asked == asked_.end() || asked->digest != isDigest(frame_.flags) ||
        body != (frame_.status == status::kOk && !asked->digest ? asked->length : 0)) {
      reject("answer to nothing");
      return Parsed::Progress;
    }
    target = asked->slot;
  }
  memcpy(record_, bytes(), kWireRecord);
  memcpy(tag_, bytes() + kWireRecord, kWireTag);
  if (frame_.bulk()) memcpy(header_, bytes() + kWireRecord + kWireTag, kHeaderBytes);
  consume(head);
  if (body == 0) {
    frameComplete();
    return Parsed::Progress;
  }
  if (target >= 0) {
    core_.slots.touch(target, body);
    expectBody(core_.slots.data(target), body);
  } else {
    page_ = core_.pages.take();
    expectBody(page_, body);
  }
  return Parsed::Progress;
}

void PeerConnection::bodyArrived() { frameComplete(); }

void PeerConnection::frameComplete() {
  const uint8_t* body = page_;
  if (frame_.type == FrameType::Write) body = core_.slots.data(filling_);
  if (frame_.type == FrameType::Data)
    body = core_.slots.data(askedFor(double(frame_.offset))->slot);
  uint32_t crc = 0;
  if (!session_.opens(tag_, record_, header_, frame_.bulk() ? kHeaderBytes : 0, body,
                      frame_.bodyBytes, &crc)) {
    core_.stats.authFailures++;
    return reject("frame authentication");
  }
  core_.stats.framesReceived++;
  const int32_t bits = int32_t(frame_.flags);
  switch (frame_.type) {
    case FrameType::Alive: return;
    case FrameType::Ack: return acked();
    case FrameType::Message: {
      uint8_t* page = page_;
      page_ = nullptr;
      return core_.events.push({event::kPeerMessage, 0, link_, bits, 0, frame_.bodyBytes, 0}, page);
    }
    case FrameType::Data: return answered(crc);
    case FrameType::Write:
    case FrameType::Read: break;
  }
  const bool write = frame_.type == FrameType::Write;
  SlotHeader& header = core_.headers[filling_];
  memcpy(&header, header_, kHeaderBytes);
  if (frame_.bodyBytes > 0 && crc != header.checksum) {
    core_.stats.checksumFailures++;
    return reject("payload checksum");
  }
  const uint32_t unit = 512, length = frame_.bodyBytes > 0 ? frame_.bodyBytes : frame_.asked;
  if (length % unit != 0 || frame_.offset % unit != 0 || frame_.offset > core_.sizeBytes ||
      length > core_.sizeBytes - frame_.offset)
    return reject(write ? "write range" : "read range");
  const int32_t slot = filling_;
  filling_ = -1;
  if (!write && isForCopy(frame_.flags)) core_.copyKeys[size_t(slot)] = session_.copyKey();
  core_.slots.admit(slot);
  // `status` tells the sender's slot, for an engine that wants to name it in its PeerAck.
  core_.events.push({write ? event::kPeerWrite : event::kPeerRead, slot, link_, bits,
                     double(frame_.offset), length, write ? frame_.slot : 0});
}

std::deque<PeerConnection::Asked>::iterator PeerConnection::askedFor(double sequence) {
  return std::find_if(asked_.begin(), asked_.end(),
                      [&](const Asked& asked) { return asked.sequence == sequence; });
}

/// Which slot is answered says our own list, never the wire.
void PeerConnection::answered(uint32_t crc) {
  const auto asked = askedFor(double(frame_.offset));
  const int32_t slot = asked->slot;
  SlotHeader header;
  memcpy(&header, header_, kHeaderBytes);
  if (frame_.bodyBytes > 0 && crc != header.checksum) {
    core_.stats.checksumFailures++;
    return reject("payload checksum");
  }
  uint32_t length = frame_.bodyBytes;
  if (asked->digest) {
    memcpy(core_.headers[slot].digest, header.digest, sizeof header.digest);
    length = frame_.status == status::kOk ? asked->length : 0;
  } else {
    core_.headers[slot].checksum = header.checksum;
  }
  asked_.erase(asked);
  core_.slots.endIo(slot);
  core_.events.push({event::kPeerData, slot, link_, int32_t(frame_.flags), double(frame_.offset),
                     length, frame_.status});
}

void PeerConnection::acked() {
  const double sequence = double(frame_.offset);
  const auto found = std::find_if(unacknowledged_.begin(), unacknowledged_.end(),
                                  [&](const Sent& sent) { return sent.sequence == sequence; });
  if (found == unacknowledged_.end()) return reject("acknowledgement of nothing");
  const int32_t slot = found->slot;
  unacknowledged_.erase(found);
  core_.events.push(
      {event::kPeerAck, slot, link_, int32_t(frame_.flags), sequence, 0, frame_.status});
}

void PeerConnection::sendWrite(const Record& decision) {
  core_.slots.engineSlot(decision.slot);
  if ((decision.flags & flag::kDetached) != 0) return sendDetached(decision);
  const bool zeroes = (decision.flags & flag::kZero) != 0;
  BELIEVE(decision.length > 0 && (zeroes || decision.length <= core_.layout.slotBytes),
          "a write to a peer fits its slot");
  SlotHeader& header = core_.headers[decision.slot];
  const uint8_t* body = zeroes ? nullptr : core_.slots.data(decision.slot);
  unacknowledged_.push_back({header.sequence, decision.slot});
  if (overrun() || unacknowledged_.size() > kQueuedMax) return giveUp();
  core_.slots.holdForSend(decision.slot);
  queueFrame(writeFrame(decision), body, decision.slot, nullptr, &header);
}

void PeerConnection::sendAck(const Record& decision) {
  Frame frame;
  frame.type = FrameType::Ack;
  frame.flags = uint32_t(decision.flags);
  frame.slot = decision.slot;
  frame.offset = uint64_t(decision.offset);
  frame.status = decision.status;
  queueFrame(frame, nullptr, -1, nullptr, nullptr);
}

void PeerConnection::sendRead(const Record& decision) {
  SlotHeader& header = core_.headers[decision.slot];
  core_.slots.beginIo(decision.slot, decision.length);
  if (isForCopy(uint32_t(decision.flags)))
    core_.copyKeys[size_t(decision.slot)] = session_.copyKey();
  asked_.push_back(
      {header.sequence, decision.slot, decision.length, isDigest(uint32_t(decision.flags))});
  if (overrun()) return giveUp();
  Frame frame;
  frame.type = FrameType::Read;
  frame.flags = uint32_t(decision.flags);
  frame.slot = decision.slot;
  frame.offset = uint64_t(decision.offset);
  frame.asked = decision.length;
  queueFrame(frame, nullptr, -1, nullptr, &header);
}

void PeerConnection::sendData(const Record& decision) {
  BELIEVE(core_.slots.isPeer(decision.slot), "a read is answered from the slot that it brought");
  core_.slots.engineSlot(decision.slot);
  const bool full = decision.status == status::kOk;
  BELIEVE(!full || (decision.length > 0 && decision.length <= core_.layout.slotBytes),
          "an answer to a peer fits its slot");
  if (overrun()) return giveUp();
  SlotHeader& header = core_.headers[decision.slot];
  const uint8_t* body = core_.slots.data(decision.slot);
  const uint32_t bytes = full && !isDigest(uint32_t(decision.flags)) ? decision.length : 0;
  Frame frame;
  frame.type = FrameType::Data;
  frame.bodyBytes = bytes;
  frame.flags = uint32_t(decision.flags);
  frame.slot = decision.slot;
  frame.offset = uint64_t(decision.offset);
  frame.status = decision.status;
  core_.slots.holdForSend(decision.slot);
  queueFrame(frame, body, decision.slot, nullptr, &header);
}

void PeerConnection::sendMessage(const Record& decision, const uint8_t* page) {
  if (overrun()) return giveUp();
  Frame frame;
  frame.type = FrameType::Message;
  frame.flags = uint32_t(decision.flags);
  frame.bodyBytes = decision.length;
  uint8_t* copy = core_.pages.take();
  memcpy(copy, page, decision.length);
  queueFrame(frame, copy, -1, copy, nullptr);
}

void PeerConnection::queueFrame(const Frame& frame, const uint8_t* body, int32_t slot,
                                uint8_t* page, const SlotHeader* header, uint8_t* own) {
  Outgoing item{};
  frame.store(item.head);
  item.headBytes = kWireRecord + kWireTag;
  if (header != nullptr) {
    memcpy(item.head + item.headBytes, header, kHeaderBytes);
    item.headBytes += kHeaderBytes;
  }
  item.body = body;
  item.bodyBytes = frame.bodyBytes;
  item.slot = slot;
  item.page = page;
  item.own = own;
  item.prepare = true;
  core_.stats.framesSent++;
  queue(item);
}

/// Tags are made here because the counter must run in the order of sending, and checksums of
/// bodies because a tag takes in every byte anyway.
void PeerConnection::prepare(Outgoing& item) {
  sentAt_ = core_.now;
  const uint32_t headerBytes = item.headBytes - kWireRecord - kWireTag;
  session_.seal(item.head + kWireRecord, item.head, item.head + kWireRecord + kWireTag, headerBytes,
                item.body, item.bodyBytes);
}

void PeerConnection::inspect(bool judgeSilence) {
  if (closing()) return;
  if (phase_ != Phase::Up && phase_ != Phase::Waiting) {
    if (core_.now - since_ > kHandshakeMicros) giveUp();
    return;
  }
  if (phase_ == Phase::Up && idle() && core_.now - sentAt_ >= network_.keepaliveMicros_)
    queueFrame(Frame{}, nullptr, -1, nullptr, nullptr);
  if (spill_ != nullptr && judgeSilence) {
    spill_->pump();
    spill_->judge(network_.silenceMicros_);
    spilled();
    if (closing()) return;
  }
  // A connection that we do not read from for want of slots cannot be heard.
  if (stalled_) heardAt_ = core_.now;
  if (judgeSilence && core_.now - heardAt_ > network_.silenceMicros_) {
    core_.stats.linksSilent++;
    shut();
  }
}

void PeerConnection::giveUp() {
  if (connecting_) core_.io->cancel(tagOf(Tag::Connect, this));
  shut();
}

void PeerConnection::reject(const char* why) {
  core_.stats.framesRejected++;
  core_.stats.lastRefusal = why;
  shut();
}

void PeerConnection::refuse(const char* why) {
  core_.stats.peerRefused++;
  core_.stats.lastRefusal = why;
  shut();
}

void PeerConnection::gone() {
  if (filling_ >= 0) core_.slots.abandon(filling_);
  filling_ = -1;
  if (page_ != nullptr) core_.pages.give(page_);
  page_ = nullptr;
  spill_.reset();
  // Nothing receives into them any more: the engine has them back with LinkDown.
  for (const Asked& asked : asked_) core_.slots.endIo(asked.slot);
  asked_.clear();
  if (phase_ == Phase::Up) {
    core_.stats.linksDown++;
    core_.events.push({event::kLinkDown, 0, link_, 0, double(node_), 0, 0});
  }
  phase_ = Phase::Down;
  network_.left(this);
}

void PeerNetwork::configure(const Identity& identity, int64_t keepaliveMicros,
                            int64_t silenceMicros) {
  identity_ = identity;
  keepaliveMicros_ = keepaliveMicros;
  silenceMicros_ = silenceMicros;
}

void PeerNetwork::needKey() const {
  if (!key_.present)
    throw Failure("NO_KEY", "replication needs the cluster key, and none was given");
}

void PeerNetwork::connectTo(uint16_t node, const Address& address) {
  needKey();
  if (node <= identity_.node)
    throw Failure("PEER_INVALID",
                  "a node connects to higher nodes only, and listens for lower ones");
  for (const Endpoint& endpoint : endpoints_)
    if (endpoint.node == node)
      throw Failure("PEER_INVALID", "node " + std::to_string(node) + " is connected to already");
  endpoints_.push_back({node, address});
}

void PeerNetwork::accepted(int fd) {
  PeerConnection* oldest = nullptr;
  size_t unproven = 0;
  for (PeerConnection* connection : connections_) {
    if (connection->proven() || connection->closing()) continue;
    if (oldest == nullptr) oldest = connection;
    unproven++;
  }
  if (unproven >= kUnprovenMax) oldest->refuse("too many");
  (new PeerConnection(core_, *this, fd, nullptr))->start();
}

/// The newest authenticated connection of a node is the one that counts: the other end has left the
/// older one, whether we noticed or not.
void PeerNetwork::authenticated(PeerConnection* connection) {
  for (PeerConnection* other : std::vector(connections_))
    if (other != connection && other->node() == connection->node() &&
        (other->up() || other->waits()))
      other->shut();
  if (holderOf(connection->node(), connection) == nullptr) connection->raise();
}

PeerConnection* PeerNetwork::holderOf(uint16_t node, const PeerConnection* except) {
  for (PeerConnection* connection : connections_)
    if (connection != except && connection->holdsLink() && connection->node() == node)
      return connection;
  return nullptr;
}

void PeerNetwork::left(PeerConnection* connection) {
  for (Endpoint& endpoint : endpoints_) {
    if (endpoint.connection != connection) continue;
    endpoint.connection = nullptr;
    endpoint.backOff =
        endpoint.backOff == 0 ? kBackOffFirst : std::min(endpoint.backOff * 2, kBackOffMost);
    endpoint.retryAt = core_.now + endpoint.backOff;
  }
  for (PeerConnection* other : connections_) {
    if (!other->waits() || other->node() != connection->node() ||
        holderOf(other->node(), other) != nullptr)
      continue;
    other->raise();
    return;
  }
}

PeerConnection* PeerNetwork::find(int32_t link) {
  BELIEVE(link > 0 && link < nextLink_, "a decision names a link that was");
  for (PeerConnection* connection : connections_)
    if (connection->up() && connection->link() == link) return connection;
  // Down, and LinkDown is on its way.
  return nullptr;
}

void PeerNetwork::sendWrite(const Record& decision) {
  if (PeerConnection* connection = find(decision.link)) connection->sendWrite(decision);
}
void PeerNetwork::sendAck(const Record& decision) {
  if (PeerConnection* connection = find(decision.link)) connection->sendAck(decision);
}
void PeerNetwork::sendRead(const Record& decision) {
  if (PeerConnection* connection = find(decision.link)) connection->sendRead(decision);
}
void PeerNetwork::sendData(const Record& decision) {
  if (PeerConnection* connection = find(decision.link)) connection->sendData(decision);
}
void PeerNetwork::sendMessage(const Record& decision, const uint8_t* page) {
  BELIEVE(decision.length > 0 && decision.length <= kPageBytes, "a message fits a page");
  if (PeerConnection* connection = find(decision.link)) connection->sendMessage(decision, page);
}
void PeerNetwork::closeLink(int32_t link) {
  if (PeerConnection* connection = find(link)) connection->shut();
}

void PeerNetwork::excuse(int64_t micros) {
  for (PeerConnection* connection : connections_) connection->excuse(micros);
}

int64_t PeerNetwork::inspect(bool judgeSilence) {
  for (PeerConnection* connection : std::vector(connections_)) connection->inspect(judgeSilence);
  int64_t next = core_.now + keepaliveMicros_ / 2;
  for (Endpoint& endpoint : endpoints_) {
    if (endpoint.connection != nullptr || ending_) continue;
    if (endpoint.retryAt > core_.now) {
      next = std::min(next, endpoint.retryAt);
      continue;
    }
    const int fd = makeTcpSocket(endpoint.address);
    if (fd < 0) {
      core_.stats.connectFailures++;
      endpoint.retryAt = core_.now + kBackOffMost;
      continue;
    }
    endpoint.connection = new PeerConnection(core_, *this, fd, &endpoint);
    endpoint.connection->startConnect(endpoint.address);
  }
  return next;
}

void PeerNetwork::shutAll() {
  ending_ = true;
  for (PeerConnection* connection : connections_) connection->giveUp();
  if (bellArmed_) bell_->ring();
}

}  // namespace understudy
