#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace viaduct::base {

/// A sorted sequence of which old versions are kept cheaply: the elements lie in immutable chunks
/// that copies share. A copy or a change costs a chunk and the list of chunks, whatever the number
/// of elements; what differs between two versions is found without looking into shared chunks.
/// @tparam T  element; copied with its chunk when a neighbour changes.
/// @tparam KeyOf  function object; the key of an element, which it is sorted by.
template <class T, class KeyOf>
class SortedChunks {
  using Chunk = std::vector<T>;

 public:
  using value_type = T;
  using Key = std::decay_t<std::invoke_result_t<KeyOf, const T&>>;

  /// Most elements of a chunk.
  static constexpr std::size_t kMaxChunk = 128;

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    Iterator() = default;
    reference operator*() const { return (*(*chunks_)[chunk_])[at_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      if (++at_ == (*chunks_)[chunk_]->size()) skip_chunk();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const {
      return chunk_ == other.chunk_ && at_ == other.at_;
    }

   private:
    friend class SortedChunks;
    using Chunks = std::vector<std::shared_ptr<const Chunk>>;
    Iterator(const Chunks* chunks, std::size_t chunk, std::size_t at)
        : chunks_(chunks), chunk_(chunk), at_(at) {}
    bool at_end() const { return chunk_ == chunks_->size(); }
    /// Whether both are at the begin of one and the same chunk.
    bool shares_chunk(const Iterator& other) const {
      return at_ == 0 && other.at_ == 0 && (*chunks_)[chunk_] == (*other.chunks_)[other.chunk_];
    }
    void skip_chunk() {
      chunk_++;
      at_ = 0;
    }

    const Chunks* chunks_ = nullptr;
    std::size_t chunk_ = 0;
    std::size_t at_ = 0;
  };
  using iterator = Iterator;
  using const_iterator = Iterator;

  SortedChunks() = default;
  /// @param elements  in any order.
  SortedChunks(std::vector<T> elements) {
    std::stable_sort(elements.begin(), elements.end(),
                     [](const T& left, const T& right) { return KeyOf{}(left) < KeyOf{}(right); });
    size_ = elements.size();
    for (std::size_t begin = 0; begin < size_; begin += kMaxChunk) {
      const auto first = elements.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto last = first + static_cast<std::ptrdiff_t>(std::min(kMaxChunk, size_ - begin));
      chunks_.push_back(
          std::make_shared<Chunk>(std::make_move_iterator(first), std::make_move_iterator(last)));
    }
  }
  SortedChunks(std::initializer_list<T> elements) : SortedChunks(std::vector<T>(elements)) {}

  Iterator begin() const { return {&chunks_, 0, 0}; }
  Iterator end() const { return {&chunks_, chunks_.size(), 0}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// @param index  less than size(); takes time in the number of chunks.
  const T& operator[](std::size_t index) const {
    std::size_t chunk = 0;
    while (index >= chunks_[chunk]->size()) index -= chunks_[chunk++]->size();
    return (*chunks_[chunk])[index];
  }

  /// The first element whose key is not less.
  Iterator lower_bound(const Key& key) const {
    const std::size_t chunk = chunk_of(chunks_, key);
    return {&chunks_, chunk, chunk == chunks_.size() ? 0 : place_of(*chunks_[chunk], key)};
  }

  /// Null: no element has the key.
  const T* find(const Key& key) const {
    const Iterator found = lower_bound(key);
    return found == end() || key < KeyOf{}(*found) ? nullptr : &*found;
  }

  bool operator==(const SortedChunks& other) const {
    return size_ == other.size_ && std::equal(begin(), end(), other.begin());
  }

  /// Calls `tell(before, after)` for each key whose element differs, in the order of the keys; null
  /// stands for "not there". Both sequences have each key once.
  template <class Tell>
  static void compare(const SortedChunks& before, const SortedChunks& after, Tell tell) {
    Iterator old = before.begin();
    Iterator now = after.begin();
    while (!old.at_end() && !now.at_end()) {
      if (old.shares_chunk(now)) {
        old.skip_chunk();
        now.skip_chunk();
      } else if (KeyOf{}(*old) < KeyOf{}(*now)) {
        tell(&*old++, static_cast<const T*>(nullptr));
      } else if (KeyOf{}(*now) < KeyOf{}(*old)) {
        tell(static_cast<const T*>(nullptr), &*now++);
      } else {
        if (!(*old == *now)) tell(&*old, &*now);
        ++old;
        ++now;
      }
    }
    for (; !old.at_end(); ++old) tell(&*old, static_cast<const T*>(nullptr));
    for (; !now.at_end(); ++now) tell(static_cast<const T*>(nullptr), &*now);
  }

  /// Changes a copy; copies no chunk more than once.
  class Editor {
    struct Place {
      std::size_t chunk;
      std::size_t at;
      bool found;
    };

   public:
    explicit Editor(SortedChunks from) : list_(std::move(from)), own_(list_.chunks_.size()) {}

    /// Puts an element in place of the one of its key, or beside none.
    void put(T element) {
      const Place place = find(KeyOf{}(element));
      if (place.found)
        writable(place.chunk)[place.at] = std::move(element);
      else
        insert(place, std::move(element));
    }

    /// Puts an element before those of its key.
    void add(T element) {
      const Place place = find(KeyOf{}(element));
      insert(place, std::move(element));
    }

    /// Removes one element of a key; does nothing if there is none.
    void remove(const Key& key) {
      const auto place = find(key);
      if (!place.found) return;
      Chunk& chunk = writable(place.chunk);
      chunk.erase(chunk.begin() + static_cast<std::ptrdiff_t>(place.at));
      list_.size_--;
      if (chunk.empty())
        drop_chunk(place.chunk);
      else if (place.chunk + 1 < own_.size())
        join(place.chunk);
      else if (place.chunk > 0)
        join(place.chunk - 1);
    }

    SortedChunks finish() { return std::move(list_); }

   private:
    Place find(const Key& key) const {
      const std::size_t chunk = chunk_of(list_.chunks_, key);
      if (chunk == own_.size()) return {chunk, 0, false};
      const std::size_t at = place_of(*list_.chunks_[chunk], key);
      return {chunk, at, !(key < KeyOf{}((*list_.chunks_[chunk])[at]))};
    }

    void insert(Place place, T element) {
      if (own_.empty()) insert_chunk(0, Chunk{});
      if (place.chunk == own_.size()) {
        place.chunk--;
        place.at = list_.chunks_[place.chunk]->size();
      }
      Chunk& chunk = writable(place.chunk);
      chunk.insert(chunk.begin() + static_cast<std::ptrdiff_t>(place.at), std::move(element));
      list_.size_++;
      if (chunk.size() > kMaxChunk) split(place.chunk);
    }

    void split(std::size_t index) {
      Chunk& chunk = writable(index);
      const auto middle = chunk.begin() + kMaxChunk / 2;
      Chunk rest(std::make_move_iterator(middle), std::make_move_iterator(chunk.end()));
      chunk.erase(middle, chunk.end());
      insert_chunk(index + 1, std::move(rest));
    }

    /// Joins a chunk with the next one, if both together fill no more than half of one.
    void join(std::size_t index) {
      const Chunk& next = *list_.chunks_[index + 1];
      if (list_.chunks_[index]->size() + next.size() > kMaxChunk / 2) return;
      Chunk& chunk = writable(index);
      chunk.insert(chunk.end(), next.begin(), next.end());
      drop_chunk(index + 1);
    }

    void insert_chunk(std::size_t index, Chunk elements) {
      auto chunk = std::make_shared<Chunk>(std::move(elements));
      const auto at = static_cast<std::ptrdiff_t>(index);
      own_.insert(own_.begin() + at, chunk.get());
      list_.chunks_.insert(list_.chunks_.begin() + at, std::move(chunk));
    }

    void drop_chunk(std::size_t index) {
      const auto at = static_cast<std::ptrdiff_t>(index);
      own_.erase(own_.begin() + at);
      list_.chunks_.erase(list_.chunks_.begin() + at);
    }

    Chunk& writable(std::size_t index) {
      if (!own_[index]) {
        auto copy = std::make_shared<Chunk>(*list_.chunks_[index]);
        own_[index] = copy.get();
        list_.chunks_[index] = std::move(copy);
      }
      return *own_[index];
    }

    SortedChunks list_;
    std::vector<Chunk*> own_;  ///< parallel to the list's chunks; null: shared, not to be written
  };

 private:
  using Chunks = typename Iterator::Chunks;

  static std::size_t chunk_of(const Chunks& chunks, const Key& key) {
    const auto found = std::partition_point(chunks.begin(), chunks.end(), [&](const auto& chunk) {
      return KeyOf{}(chunk->back()) < key;
    });
    return static_cast<std::size_t>(found - chunks.begin());
  }

  static std::size_t place_of(const Chunk& chunk, const Key& key) {
    const auto found = std::partition_point(
        chunk.begin(), chunk.end(), [&](const T& element) { return KeyOf{}(element) < key; });
    return static_cast<std::size_t>(found - chunk.begin());
  }

  Chunks chunks_;  ///< none is empty
  std::size_t size_ = 0;
};

}  // namespace viaduct::base
