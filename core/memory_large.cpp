#include <sys/mman.h>

#include <scry/core/memory.hpp>
#include <scry/core/memory_large.hpp>
#include <scry/core/memory_poison.hpp>
#include <algorithm>
#include <cstdlib>
#include <new>

namespace scry::memory {
namespace {

constexpr size_t huge_page = size_t{1} << 21, page = 4096;
constexpr size_t segment_bytes = size_t{1} << 28;  // of addresses; memory is taken as they are used
constexpr size_t header = alignment;
constexpr size_t smallest_rest = size_t{1} << 16;  // of a block that is cut off

size_t rounded_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }
// What a block of `bytes` takes up.
size_t chunk_bytes(size_t bytes) { return rounded_up(bytes, alignment) + header; }

// Lets go of the pages that lie wholly in [begin, end).
void drop_pages(std::byte* begin, std::byte* end) {
  const auto first = rounded_up(reinterpret_cast<size_t>(begin), page), last = reinterpret_cast<size_t>(end) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace

// At the start of its memory. Its chunks lie side by side up to `end`.
struct LargeBlocks::Segment {
  Segment* next;
  size_t bytes;
  std::byte* end;
  Chunk* last;  // of its chunks, or null
  std::byte* begin() { return reinterpret_cast<std::byte*>(this) + header; }
  size_t room() { return static_cast<size_t>(reinterpret_cast<std::byte*>(this) + bytes - end); }
};

struct LargeBlocks::Chunk {
  size_t bytes;  // with the header
  Segment* segment;
  Chunk* before;  // the neighbour, or null
  bool free;
  Chunk *newer, *older;  // among the free ones
  std::byte* data() { return reinterpret_cast<std::byte*>(this) + header; }
  std::byte* end() { return reinterpret_cast<std::byte*>(this) + bytes; }
  Chunk* after() { return this == segment->last ? nullptr : reinterpret_cast<Chunk*>(end()); }
};

void LargeBlocks::put(Chunk* chunk) {
  chunk->free = true;
  chunk->newer = nullptr;
  chunk->older = free_;
  if (free_) free_->newer = chunk;
  free_ = chunk;
  ASAN_POISON_MEMORY_REGION(chunk->data(), chunk->bytes - header);
}

void LargeBlocks::remove(Chunk* chunk) {
  chunk->free = false;
  (chunk->newer ? chunk->newer->older : free_) = chunk->older;
  if (chunk->older) chunk->older->newer = chunk->newer;
}

// Joins a chunk with the one after it.
LargeBlocks::Chunk* LargeBlocks::join(Chunk* chunk) {
  Chunk* const other = chunk->after();
  if (other == chunk->segment->last)
    chunk->segment->last = chunk;
  else
    other->after()->before = chunk;
  chunk->bytes += other->bytes;
  return chunk;
}

// The chunk as a block; what is left of it goes back.
void* LargeBlocks::use(Chunk* chunk, size_t bytes) {
  const size_t wanted = chunk_bytes(bytes);
  if (chunk->bytes - wanted >= smallest_rest) {
    std::byte* const at = reinterpret_cast<std::byte*>(chunk) + wanted;
    ASAN_UNPOISON_MEMORY_REGION(at, header);
    Chunk* const after = chunk->after();
    Chunk* const rest = new (at) Chunk{chunk->bytes - wanted, chunk->segment, chunk, true, nullptr, nullptr};
    (after ? after->before : chunk->segment->last) = rest;
    chunk->bytes = wanted;
    put(rest);
  }
  return chunk->data();
}

void* LargeBlocks::reuse(size_t bytes) {
  const size_t wanted = chunk_bytes(bytes);
  Chunk* best = nullptr;
  for (Chunk* chunk = free_; chunk; chunk = chunk->older)
    if (chunk->bytes >= wanted && (!best || chunk->bytes < best->bytes)) best = chunk;
  if (!best) return nullptr;
  remove(best);
  return use(best, bytes);
}

// A segment with that many bytes behind its end, or together with a free chunk at its end.
LargeBlocks::Segment* LargeBlocks::with_room(size_t wanted) {
  for (Segment* s = segments_; s; s = s->next)
    if (s->room() + (s->last && s->last->free ? s->last->bytes : 0) >= wanted) return s;
  size_t bytes = std::max(segment_bytes, rounded_up(wanted + header, huge_page));
  void* memory = std::aligned_alloc(huge_page, bytes);
  if (!memory) memory = std::aligned_alloc(huge_page, bytes = rounded_up(wanted + header, huge_page));
  if (!memory) return nullptr;
  madvise(memory, bytes, MADV_HUGEPAGE);
  segments_ = new (memory) Segment{segments_, bytes, static_cast<std::byte*>(memory) + header, nullptr};
  return segments_;
}

void* LargeBlocks::grow(size_t bytes, size_t& taken) {
  const size_t wanted = chunk_bytes(bytes);
  Segment* const s = with_room(wanted);
  if (!s) return nullptr;
  Chunk* chunk = s->last;
  if (chunk && chunk->free) {
    remove(chunk);
    taken = wanted - chunk->bytes;
    chunk->bytes = wanted;
  } else {
    taken = wanted;
    chunk = new (s->end) Chunk{wanted, s, s->last, false, nullptr, nullptr};
    s->last = chunk;
  }
  s->end += taken;
  return chunk->data();
}

void LargeBlocks::give_back(void* block) {
  auto* chunk = reinterpret_cast<Chunk*>(static_cast<std::byte*>(block) - header);
  if (Chunk* after = chunk->after(); after && after->free) {
    remove(after);
    join(chunk);
  }
  if (Chunk* before = chunk->before; before && before->free) {
    remove(before);
    chunk = join(before);
  }
  put(chunk);
}

size_t LargeBlocks::release() {
  size_t released = 0;
  for (Segment** link = &segments_; Segment* s = *link;) {
    if (Chunk* const last = s->last; last && last->free) {
      remove(last);
      released += last->bytes;
      s->end -= last->bytes;
      s->last = last->before;
      ASAN_UNPOISON_MEMORY_REGION(s->end, last->bytes);
      drop_pages(s->end, s->end + last->bytes);
    }
    if (s->last) {
      link = &s->next;
    } else {
      *link = s->next;
      std::free(s);
    }
  }
  for (Chunk* chunk = free_; chunk; chunk = chunk->older) drop_pages(chunk->data(), chunk->end());
  return released;
}

}  // namespace scry::memory
