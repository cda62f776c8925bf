#include "options.h"

namespace understudy {
[[noreturn]] void badArgument(const std::string& name) {
  throw Failure("ARGUMENT_INVALID", name + " is missing or malformed");
}

uint64_t integer(const Napi::Object& from, const char* name, uint64_t most,
                 std::optional<uint64_t> otherwise) {
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined() && otherwise.has_value()) return *otherwise;
  if (!value.IsNumber()) badArgument(name);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0) || number > double(most) || number != double(uint64_t(number)))
    badArgument(name);
  return uint64_t(number);
}

std::string text(const Napi::Object& from, const char* name,
                 std::optional<std::string> otherwise) {
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined() && otherwise.has_value()) return *otherwise;
  if (!value.IsString()) badArgument(name);
  return value.As<Napi::String>().Utf8Value();
}

std::vector<uint8_t> octets(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    badArgument(name);
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.Data() + array.ByteLength()};
}

namespace {

Layout layoutFrom(const Napi::Object& options) {
  if (!options.Get("layout").IsObject()) badArgument("layout");
  const auto from = options.Get("layout").As<Napi::Object>();
  const auto field = [&](const char* name) { return uint32_t(integer(from, name, UINT32_MAX)); };
  Layout layout;
  layout.events = field("events");
  layout.decisions = field("decisions");
  layout.frontSlots = field("frontSlots");
  layout.peerSlots = field("peerSlots");
  layout.engineSlots = field("engineSlots");
  layout.slotBytes = field("slotBytes");
  layout.inPages = field("inPages");
  layout.outPages = field("outPages");
  return layout;
}

/// 32 hexadecimal digits, dashes allowed, to 16 bytes.
void volumeFrom(const std::string& digits, uint8_t* volume) {
  std::string plain;
  for (const char c : digits)
    if (c != '-') plain += c;
  if (plain.size() != 32 || plain.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    badArgument("volume");
  for (size_t i = 0; i < 16; i++)
    volume[i] = uint8_t(std::stoul(plain.substr(2 * i, 2), nullptr, 16));
}

/// The parts that the options name, which are the whole volume; or one, of `replicaPath`.
std::vector<PartOptions> partsFrom(const Napi::Object& from, const DiskOptions& disk) {
  if (from.Get("parts").IsUndefined()) return {{"", text(from, "replicaPath"), disk.sizeBytes}};
  constexpr uint32_t kPartsMax = 16;
  if (!from.Get("parts").IsArray()) badArgument("parts");
  const auto list = from.Get("parts").As<Napi::Array>();
  std::vector<PartOptions> parts;
  uint64_t all = 0;
  for (uint32_t i = 0; i < list.Length(); i++) {
    if (!list.Get(i).IsObject()) badArgument("parts");
    const auto each = list.Get(i).As<Napi::Object>();
    parts.push_back(
        {text(each, "name"), text(each, "path"), integer(each, "sizeBytes", disk.sizeBytes)});
    const PartOptions& part = parts.back();
    if (part.name.empty() || part.name.size() > 64) badArgument("name of a part (1 to 64 bytes)");
    if (part.sizeBytes == 0 || part.sizeBytes % kPageBytes != 0)
      badArgument("sizeBytes of a part (whole pages)");
    all += part.sizeBytes;
  }
  if (parts.empty() || parts.size() > kPartsMax || all != disk.sizeBytes)
    badArgument("parts (1 to 16, sizeBytes together)");
  return parts;
}

/// Where what waits for peers may be spilled.
std::vector<SpillWish> spillsFrom(const Napi::Object& from) {
  std::vector<SpillWish> places;
  if (from.Get("spills").IsUndefined()) return places;
  if (!from.Get("spills").IsArray()) badArgument("spills");
  const auto list = from.Get("spills").As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    if (!list.Get(i).IsObject()) badArgument("spills");
    const auto each = list.Get(i).As<Napi::Object>();
    SpillWish place{};
    place.node = uint16_t(integer(each, "node", 64));
    place.options.folder = text(each, "folder");
    place.options.fileBytes = integer(each, "bytes", uint64_t{1} << 40);
    place.options.memoryBytes = integer(each, "memoryBytes", 1 << 30, place.options.memoryBytes);
    place.options.waitingBytes = integer(each, "waitingBytes", 1 << 30, place.options.waitingBytes);
    if (!each.Get("waits").IsUndefined()) place.options.waits = each.Get("waits").ToBoolean();
    if (place.options.folder.empty()) badArgument("folder of a spill");
    if (place.options.fileBytes < kPageBytes) badArgument("bytes of a spill");
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace

ReactorOptions optionsFrom(const Napi::Object& from) {
  ReactorOptions options;
  options.layout = layoutFrom(from);
  options.disk.metaPath = text(from, "metaPath", "");
  options.disk.sidePath = text(from, "sidePath", "");
  options.disk.sizeBytes = integer(from, "sizeBytes", kSizeMax);
  options.disk.sideBytes = integer(from, "sideBytes", kSizeMax, 0);
  if (options.disk.sideBytes % kPageBytes != 0) badArgument("sideBytes (whole pages)");
  options.disk.metaPages = uint32_t(integer(from, "metaPages", UINT32_MAX));
  options.disk.blockBytes = uint32_t(integer(from, "blockBytes", 4096, 4096));
  options.disk.lockWaitMicros = int64_t(integer(from, "lockWaitMillis", 60000, 1000)) * 1000;
  options.disk.zeroBytes = uint32_t(integer(from, "zeroBytes", 1u << 30, options.layout.slotBytes));
  const bool block = options.disk.blockBytes == 512 || options.disk.blockBytes == 4096;
  if (!block) badArgument("blockBytes (512 or 4096)");
  if (options.disk.zeroBytes == 0 || options.disk.zeroBytes % kPageBytes != 0)
    badArgument("zeroBytes (whole pages)");
  if (options.disk.sizeBytes == 0 || options.disk.sizeBytes % options.disk.blockBytes != 0)
    badArgument("sizeBytes (whole blocks)");
  options.disk.parts = partsFrom(from, options.disk);
  options.disk.labelPages = uint32_t(integer(from, "labelPages", 16, 0));
  const std::string direct = text(from, "direct", "auto");
  if (direct != "auto" && direct != "on" && direct != "off")
    badArgument("direct (auto, on or off)");
  options.disk.direct = direct == "on" ? Direct::On : direct == "off" ? Direct::Off : Direct::Auto;
  const std::string personality = text(from, "personality", "auto");
  if (personality != "auto" && personality != "io_uring" && personality != "epoll")
    badArgument("personality (auto, io_uring or epoll)");
  options.personality = personality == "epoll"      ? Personality::Epoll
                        : personality == "io_uring" ? Personality::Uring
                                                    : Personality::Auto;
  options.identity.node = uint16_t(integer(from, "node", 64, 0));
  const std::string volume = text(from, "volume", "");
  if (!volume.empty()) volumeFrom(volume, options.identity.volume);
  if (!from.Get("key").IsUndefined()) {
    options.key = octets(from.Get("key"), "key");
    if (options.key->size() != 32) badArgument("key (32 bytes)");
    if (options.identity.node == 0 || volume.empty())
      badArgument("node and volume (wanted with a key)");
  }
  options.keepaliveMicros = int64_t(integer(from, "keepaliveMillis", 60000, 500)) * 1000;
  options.silenceMicros = int64_t(integer(from, "silenceMillis", 600000, 2000)) * 1000;
  options.spills = spillsFrom(from);
  if (options.keepaliveMicros < 1000 || options.silenceMicros < 2 * options.keepaliveMicros)
    badArgument("silenceMillis (at least 2 × keepaliveMillis)");
  return options;
}

Napi::Array spillList(Napi::Env env, const std::vector<SpillStatus>& spills) {
  Napi::Array list = Napi::Array::New(env, spills.size());
  for (size_t i = 0; i < spills.size(); i++) {
    Napi::Object each = Napi::Object::New(env);
    each.Set("node", Napi::Number::New(env, spills[i].node));
    each.Set("state", Napi::String::New(env, spills[i].state));
    each.Set("bytes", Napi::Number::New(env, double(spills[i].bytes)));
    each.Set("fileBytes", Napi::Number::New(env, double(spills[i].fileBytes)));
    each.Set("faults", Napi::Number::New(env, double(spills[i].faults)));
    each.Set("reason", Napi::String::New(env, spills[i].reason));
    list.Set(uint32_t(i), each);
  }
  return list;
}

}  // namespace understudy
