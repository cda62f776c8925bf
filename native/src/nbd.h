// The NBD server side: fixed newstyle negotiation, then READ, WRITE, FLUSH, DISC. Requests become
// events; answers come back through `complete`. Decides nothing about data: it checks ranges and
// lengths, because a slot must hold what it takes in, and refuses what it did not announce.
#pragma once
#include <deque>
#include <string>

#include "stream.h"

namespace understudy {

class NbdServer;

/// What clients have under one name: the bytes [begin, begin + bytes) of the volume.
struct NbdExport {
  std::string name;
  uint64_t begin, bytes;
};

class NbdConnection final : public Stream {
 public:
  NbdConnection(Core& core, NbdServer& server, int fd);
  ~NbdConnection() override;
  void start();
  /// The engine's answer to the request in `slot`; lets go of the slot.
  void complete(int32_t slot, int32_t status);
  /// The export is closed: no more requests; ends when those in flight are answered.
  void retire();
  /// Ends the connection if its negotiation takes too long, or if it keeps slots by not reading.
  void inspect();
  bool deletable() const override { return Stream::deletable() && requests_ == 0; }

 protected:
  Parsed parse() override;
  void bodyArrived() override;
  void gone() override;
  void quiet() override { maybeEnd(); }

 private:
  friend class NbdServer;
  enum class Phase { Flags, Options, Transmission };

  Parsed parseFlags();
  Parsed parseOption();
  Parsed parseRequest();
  void answerOption(uint32_t option, const uint8_t* data, uint32_t length);
  void answerInfo(uint32_t option, const uint8_t* data, uint32_t length);
  void exportByName(const uint8_t* name, uint32_t length);
  void list();
  void sendOption(uint32_t option, uint32_t type, const void* data, uint32_t length);
  void refuseOption(uint32_t option, uint32_t type, const char* text);
  /// The option error for a named export, or 0; then `found` is it.
  uint32_t refusal(const uint8_t* name, uint32_t length, const char** text,
                   const NbdExport** found) const;
  void reply(uint64_t cookie, uint32_t error);
  void hand(int32_t slot);
  void ask(int32_t slot);
  /// Begins the oldest of the long requests for zeroes in a slot of its own.
  void beginLong(int32_t slot);
  void maybeEnd();

  NbdServer& server_;
  Phase phase_ = Phase::Flags;
  /// Set before Transmission; the exports of a server stay where they are.
  const NbdExport* export_ = nullptr;
  int64_t since_;
  uint32_t options_ = 0;
  bool noZeroes_ = false, retired_ = false, leaving_ = false;
  /// Requests that the engine has not completed.
  uint32_t requests_ = 0;
  int32_t filling_ = -1;
  /// Requests for zeroes that are longer than a slot, and have none yet.
  struct Long {
    uint64_t cookie, offset;
    uint32_t length;
    int32_t flags;
    uint16_t type;
  };
  std::deque<Long> long_;
  /// Error to answer once the payload of a refused write has been read past, 0 for none.
  uint32_t refused_ = 0;
  uint64_t refusedCookie_ = 0;
};

class NbdServer {
 public:
  explicit NbdServer(Core& core) : core_(core) {}
  /// Before any client is there. An export's bytes stand behind those of the one added before.
  void add(const std::string& name, uint64_t bytes);
  /// The name of the only export there is.
  void setName(const std::string& name);
  /// How much of the volume the only export there is shows, from its beginning on.
  void setBytes(uint64_t bytes);
  void setOpen(bool open);
  void accepted(int fd, bool tcp);
  void complete(const Record& decision);
  void inspect();
  void shutAll();
  /// Gives slots to long requests for zeroes, as far as they may have any.
  void startLong();
  bool empty() const { return connections_.empty(); }

 private:
  friend class NbdConnection;
  /// Whether one more may come; who has agreed on nothing for the longest time goes for it.
  bool makeRoom();
  Core& core_;
  /// One for each part of the volume: a flush of one is a flush of all, and requests are ordered
  /// by where they are in the volume.
  std::vector<NbdExport> exports_;
  bool open_ = false;
  double requestIds_ = 0;
  std::vector<NbdConnection*> connections_;
  /// Long requests for zeroes that have a slot, and whose connection is next to have one.
  uint32_t longs_ = 0;
  size_t next_ = 0;
};

}  // namespace understudy
