#include "abi_table.h"

#include <utility>

#include "abi.h"

namespace understudy {
namespace {

using Names = std::initializer_list<std::pair<const char*, double>>;

Napi::Object table(Napi::Env env, Names names) {
  Napi::Object all = Napi::Object::New(env);
  for (const auto& [name, value] : names) all.Set(name, Napi::Number::New(env, value));
  return all;
}

}  // namespace

Napi::Value abiTable(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object all = table(env, {{"ABI_VERSION", kAbiVersion},
                                 {"RECORD_BYTES", kRecordBytes},
                                 {"HEADER_BYTES", kHeaderBytes},
                                 {"PAGE_BYTES", kPageBytes}});
  all.Set("Event", table(env, {{"ReqRead", event::kReqRead},
                               {"ReqWrite", event::kReqWrite},
                               {"ReqFlush", event::kReqFlush},
                               {"LocalDone", event::kLocalDone},
                               {"FlushDone", event::kFlushDone},
                               {"MetaDone", event::kMetaDone},
                               {"PeerWrite", event::kPeerWrite},
                               {"PeerAck", event::kPeerAck},
                               {"PeerMessage", event::kPeerMessage},
                               {"LinkUp", event::kLinkUp},
                               {"LinkDown", event::kLinkDown},
                               {"Timer", event::kTimer},
                               {"Control", event::kControl},
                               {"PeerRead", event::kPeerRead},
                               {"PeerData", event::kPeerData}}));
  all.Set("Decision", table(env, {{"LocalRead", decision::kLocalRead},
                                  {"LocalWrite", decision::kLocalWrite},
                                  {"LocalFlush", decision::kLocalFlush},
                                  {"MetaRead", decision::kMetaRead},
                                  {"MetaWrite", decision::kMetaWrite},
                                  {"PeerWrite", decision::kPeerWrite},
                                  {"PeerAck", decision::kPeerAck},
                                  {"PeerMessage", decision::kPeerMessage},
                                  {"Complete", decision::kComplete},
                                  {"Free", decision::kFree},
                                  {"LinkClose", decision::kLinkClose},
                                  {"ArmTimer", decision::kArmTimer},
                                  {"Report", decision::kReport},
                                  {"PeerRead", decision::kPeerRead},
                                  {"PeerData", decision::kPeerData}}));
  all.Set("Flag", table(env, {{"Fua", flag::kFua},
                              {"Resync", flag::kResync},
                              {"Check", flag::kCheck},
                              {"Zero", flag::kZero},
                              {"Unmap", flag::kUnmap},
                              {"Digest", flag::kDigest},
                              {"Sums", flag::kSums},
                              {"Lost", flag::kLost},
                              {"Part", flag::kPart},
                              {"Side", flag::kSide},
                              {"Receipt", flag::kReceipt},
                              {"Detached", flag::kDetached}}));
  all.Set("Status", table(env, {{"Ok", status::kOk},
                                {"Io", status::kIo},
                                {"Gone", status::kGone},
                                {"Invalid", status::kInvalid},
                                {"Medium", status::kMedium},
                                {"Differs", status::kDiffers},
                                {"Protection", status::kProtection},
                                {"Fenced", status::kFenced},
                                {"StaleEpoch", status::kStaleEpoch}}));
  all.Set("Header", table(env, {{"Epoch", offsetof(SlotHeader, epoch)},
                                {"Sequence", offsetof(SlotHeader, sequence)},
                                {"Generation", offsetof(SlotHeader, generation)},
                                {"Request", offsetof(SlotHeader, request)},
                                {"Digest", offsetof(SlotHeader, digest)},
                                {"Checksum", offsetof(SlotHeader, checksum)},
                                {"Reserved", offsetof(SlotHeader, reserved)}}));
  // The layout arithmetic, on an example in which every part has its own length.
  const Layout layout{3, 88, 5, 7, 2, 8192, 2, 3};
  const Offsets at = offsetsOf(layout);
  all.Set("layout", table(env, {{"events", layout.events},
                                {"decisions", layout.decisions},
                                {"frontSlots", layout.frontSlots},
                                {"peerSlots", layout.peerSlots},
                                {"engineSlots", layout.engineSlots},
                                {"slotBytes", layout.slotBytes},
                                {"inPages", layout.inPages},
                                {"outPages", layout.outPages}}));
  all.Set("offsets", table(env, {{"events", double(at.events)},
                                 {"decisions", double(at.decisions)},
                                 {"headers", double(at.headers)},
                                 {"inPages", double(at.inPages)},
                                 {"outPages", double(at.outPages)},
                                 {"total", double(at.total)}}));
  return all;
}

}  // namespace understudy
