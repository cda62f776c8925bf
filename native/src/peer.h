// Replication connections: authenticated before the engine hears of them, every frame checked, dead
// ones noticed. The lower node connects, the other listens, so a pair has one connection; the
// connector tries again by itself, after 100 ms, doubling to 500 ms. Keep-alives leave only while
// the reactor is polled: a core whose JavaScript stands still is silent, and its links go down.
#pragma once
#include <deque>

#include "net.h"
#include "session.h"
#include "spill.h"
#include "stream.h"

namespace understudy {

class PeerNetwork;
struct Endpoint;

/// Frames that may wait in memory behind a slow link before it is given up.
constexpr size_t kQueuedMax = 65536;
/// The same of their payload: what may be in memory without a file (LAG_MEMORY_MAX), and a fourth.
constexpr uint64_t kQueuedBytesMax = 1280 << 20;

Frame writeFrame(const Record& decision);

class PeerConnection final : public Stream {
 public:
  PeerConnection(Core& core, PeerNetwork& network, int fd, Endpoint* endpoint);
  ~PeerConnection() override;
  /// The socket is connected (listeners: was accepted).
  void start();
  void startConnect(const Address& address);
  void connected(int32_t result);

  void sendWrite(const Record& decision);
  /// The payload is ours from here on, and nothing answers. The slot is free of it at once, or, if
  /// too much waits for the spill file, goes back to its pool only when there is room.
  void sendDetached(const Record& decision);
  /// The spill file may have done something.
  void spilled();
  const Spill* spill() const { return spill_.get(); }
  void sendAck(const Record& decision);
  void sendRead(const Record& decision);
  void sendData(const Record& decision);
  void sendMessage(const Record& decision, const uint8_t* page);
  /// Keep-alive due, silence, late handshake.
  void inspect(bool judgeSilence);
  void giveUp();
  void excuse(int64_t micros) { heardAt_ += micros; }

  bool up() const { return phase_ == Phase::Up && !closing(); }
  /// Has shown that it knows the key; what we began ourselves counts as such.
  bool proven() const {
    return endpoint_ != nullptr || phase_ == Phase::Waiting || phase_ == Phase::Up;
  }
  void refuse(const char* why);
  /// LinkUp was given and LinkDown was not.
  bool holdsLink() const { return phase_ == Phase::Up; }
  int32_t link() const { return link_; }
  uint16_t node() const { return node_; }
  bool drained() const override { return Stream::drained() && !connecting_; }
  /// Authenticated, but an older connection of the same node has to go down first.
  bool waits() const { return phase_ == Phase::Waiting && !closing(); }
  void raise();

 protected:
  Parsed parse() override;
  void bodyArrived() override;
  void gone() override;
  void prepare(Outgoing& item) override;
  bool divert(const Outgoing& item) override;
  void refill() override;
  bool diverted() const override { return spill_ != nullptr && spill_->engaged(); }

 private:
  enum class Phase { Connecting, Hello, Proof, Waiting, Up, Down };

  Parsed parseHello();
  Parsed parseProof();
  Parsed parseFrame();
  bool acceptable() const;
  void frameComplete();
  void acked();
  /// `crc`: checksum of the body.
  void answered(uint32_t crc);
  struct Asked;
  std::deque<Asked>::iterator askedFor(double sequence);
  void reject(const char* why);
  /// Whether more frames wait than a slow link may have before it is given up.
  bool overrun() const {
    return queued() + (spill_ == nullptr ? 0 : spill_->waiting()) > kQueuedMax ||
           queuedBytes() > kQueuedBytesMax;
  }
  void wantSpill();
  void queueFrame(const Frame& frame, const uint8_t* body, int32_t slot, uint8_t* page,
                  const SlotHeader* header, uint8_t* own = nullptr);

  PeerNetwork& network_;
  /// Set on the connecting side.
  Endpoint* endpoint_;
  Address target_;
  Phase phase_ = Phase::Hello;
  bool connecting_ = false;
  int64_t since_, sentAt_ = 0;
  std::vector<uint8_t> ourHello_, theirHello_;
  uint16_t node_ = 0;
  int32_t link_ = 0;
  Session session_;
  // The frame being received.
  Frame frame_;
  uint8_t record_[kWireRecord], tag_[kWireTag], header_[kHeaderBytes];
  int32_t filling_ = -1;
  uint8_t* page_ = nullptr;
  /// Writes sent and not acknowledged, in sending order.
  struct Sent {
    double sequence;
    int32_t slot;
  };
  std::deque<Sent> unacknowledged_;
  /// Reads sent and not answered, in sending order; their slots are ours as if a disk wrote there.
  struct Asked {
    double sequence;
    int32_t slot;
    uint32_t length;
    bool digest;
  };
  std::deque<Asked> asked_;
  /// Where what is too much for memory waits, from the first detached write on.
  std::unique_ptr<Spill> spill_;
};

/// One peer that this node connects to.
struct Endpoint {
  uint16_t node;
  Address address;
  PeerConnection* connection = nullptr;
  int64_t retryAt = 0;
  int64_t backOff = 0;
};

/// Where what waits for one peer may be spilled.
struct SpillWish {
  uint16_t node;
  SpillOptions options;
};

/// What became of that.
struct SpillPlace : SpillWish {
  explicit SpillPlace(const SpillWish& wish) : SpillWish(wish) {}
  /// Of the last file: no other one while the kernel has anything of it.
  std::weak_ptr<const SpillFile::State> life;
  /// Why there is none, "" for no reason.
  std::string reason;
  /// Files that failed when something was in them.
  uint64_t faults = 0;
  /// Tries at the beginning whether one can be made, and lets go of it.
  std::unique_ptr<SpillFile> probe;
  /// The link on which none could be made, and until when none is tried on it.
  int32_t refusedOn = 0;
  int64_t retryAt = 0;
};

struct SpillStatus {
  uint16_t node;
  /// idle, making, on or off.
  const char* state;
  uint64_t bytes, fileBytes, faults;
  std::string reason;
};

class PeerNetwork {
 public:
  explicit PeerNetwork(Core& core) : core_(core) {}

  void configure(const Identity& identity, int64_t keepaliveMicros, int64_t silenceMicros);
  ClusterKey& key() { return key_; }
  const Identity& identity() const { return identity_; }
  int64_t silenceMicros() const { return silenceMicros_; }
  /// Throws Failure NO_KEY, PEER_INVALID.
  void connectTo(uint16_t node, const Address& address);
  /// Throws Failure NO_KEY.
  void needKey() const;
  void accepted(int fd);

  /// Detached writes to these nodes may wait in files.
  void spillTo(const std::vector<SpillWish>& wishes);
  /// A spill file has done something.
  void bellRang();
  std::vector<SpillStatus> spills() const;

  void sendWrite(const Record& decision);
  void sendAck(const Record& decision);
  void sendRead(const Record& decision);
  void sendData(const Record& decision);
  void sendMessage(const Record& decision, const uint8_t* page);
  void closeLink(int32_t link);
  /// This node stood still for so long: that was not the peers' silence.
  void excuse(int64_t micros);
  /// What is due by the clock; answers when it wants to be asked again.
  int64_t inspect(bool judgeSilence);
  void shutAll();
  bool empty() const { return connections_.empty(); }

 private:
  friend class PeerConnection;
  PeerConnection* find(int32_t link);
  PeerConnection* holderOf(uint16_t node, const PeerConnection* except);
  void authenticated(PeerConnection* connection);
  void left(PeerConnection* connection);
  SpillPlace* spillPlace(uint16_t node);
  void armBell();

  Core& core_;
  Identity identity_;
  ClusterKey key_;
  int64_t keepaliveMicros_ = 500000, silenceMicros_ = 2000000;
  int32_t nextLink_ = 1;
  bool ending_ = false;
  std::vector<PeerConnection*> connections_;
  std::deque<Endpoint> endpoints_;
  std::vector<SpillPlace> spillPlaces_;
  std::shared_ptr<Bell> bell_;
  uint64_t bellCount_ = 0;
  bool bellArmed_ = false;
};

}  // namespace understudy
