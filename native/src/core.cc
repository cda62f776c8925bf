#include "core.h"

#include <sys/mman.h>

namespace understudy {
namespace {
constexpr size_t kChunkPages = 16;
}

PagePool::~PagePool() {
  for (void* chunk : chunks_) munmap(chunk, kChunkPages * kPageBytes);
}

uint8_t* PagePool::take() {
  if (free_.empty()) {
    void* chunk = mmap(nullptr, kChunkPages * kPageBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BELIEVE(chunk != MAP_FAILED, "there is memory for a few pages");
    chunks_.push_back(chunk);
    for (size_t i = kChunkPages; i-- > 0;)
      free_.push_back(static_cast<uint8_t*>(chunk) + i * kPageBytes);
  }
  uint8_t* page = free_.back();
  free_.pop_back();
  return page;
}

uint32_t EventQueue::deliver(Record* events, uint32_t capacity, uint8_t* inPages,
                             uint32_t inPageCount) {
  uint32_t count = 0, pages = 0;
  while (head_ < entries_.size() && count < capacity) {
    const Entry& entry = entries_[head_];
    events[count] = entry.record;
    if (entry.page != nullptr) {
      if (pages == inPageCount) break;
      uint8_t* to = inPages + size_t{pages} * kPageBytes;
      if (entry.record.op == event::kLocalDone) {
        // Checksums: the slot is that of the data, and the link names the page.
        memcpy(to, entry.page, entry.record.length / kPageBytes * sizeof(uint32_t));
        events[count].link = int32_t(pages++);
      } else {
        const bool message = entry.record.op == event::kPeerMessage;
        memcpy(to, entry.page, message ? entry.record.length : kPageBytes);
        events[count].slot = int32_t(pages++);
      }
      pages_.give(entry.page);
    }
    count++;
    head_++;
  }
  if (head_ == entries_.size()) {
    entries_.clear();
    head_ = 0;
  } else if (head_ > 1024 && head_ * 2 > entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + ptrdiff_t(head_));
    head_ = 0;
  }
  return count;
}

}  // namespace understudy
