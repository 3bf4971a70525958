#include "mesos/json_lists.h"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value_stack.hpp>
#include <new>
#include <optional>
#include <stdexcept>

#include "mesos/errors.h"
#include "mesos/limits.h"

namespace viaduct::mesos {

namespace json = boost::json;

/// A place in the texts that lies on the way to a part, or is one.
struct JsonLists::Node {
  std::string path;
  std::string key;
  std::optional<std::size_t> part{};
  std::vector<std::string> members{};
  bool only_seen = false;
  std::vector<std::unique_ptr<Node>> children{};  ///< of an object
  std::unique_ptr<Node> element{};                ///< of a list

  const Node* child(std::string_view name) const {
    for (const auto& each : children)
      if (each->key == name) return each.get();
    return nullptr;
  }
  bool is_captured() const { return part && !only_seen; }
  bool takes(std::string_view name) const {
    return members.empty() ? child(name) == nullptr
                           : std::find(members.begin(), members.end(), name) != members.end();
  }
};

namespace {

using Node = JsonLists::Node;

constexpr std::size_t kValueBytes = 64;  // about what a value takes with its place in a container

/// One part while it is built.
class Capture {
 public:
  Capture() { stack_.reset(&memory_); }

  void open(const Node& node, std::size_t index) {
    node_ = &node;
    index_ = index;
    bytes_ = 0;
    too_large_ = false;
  }

  template <class Push>
  void push(std::size_t bytes, std::size_t limit, Push push) {
    bytes_ += bytes;
    if (too_large_) return;
    if (bytes_ > limit)
      too_large_ = true;
    else
      push(stack_);
  }

  void close(JsonPartReader& reader) {
    if (too_large_)
      reader.on_too_large(*node_->part, index_);
    else
      reader.on_part(*node_->part, stack_.release(), index_);
    stack_.reset();
    memory_.release();
    stack_.reset(&memory_);
  }

 private:
  static constexpr std::size_t kBufferBytes = 1 << 14;

  std::array<unsigned char, kBufferBytes> buffer_;
  json::monotonic_resource memory_{buffer_.data(), buffer_.size()};
  json::value_stack stack_;
  const Node* node_ = nullptr;
  std::size_t index_ = 0;
  std::size_t bytes_ = 0;
  bool too_large_ = false;
};

/// A part of a text that arrives in slices; only of one that is wanted are they kept.
class Slices {
 public:
  void add(std::string_view slice, std::size_t limit) {
    if (kept_.size() + slice.size() > limit)
      cut_ = true;
    else
      kept_.append(slice);
  }
  /// The whole text; absent: it is over the limit.
  std::optional<std::string_view> whole(std::string_view last, std::size_t limit) {
    if (!cut_ && kept_.empty() && last.size() <= limit) return last;
    add(last, limit);
    if (cut_) return std::nullopt;
    return kept_;
  }
  void clear() {
    kept_.clear();
    cut_ = false;
  }

 private:
  std::string kept_;
  bool cut_ = false;
};

/// What basic_parser tells, in the names that it asks for. Its callbacks return false to stop;
/// these never do.
class Handler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  Handler(const Node& root, std::size_t limit, JsonPartReader& reader)
      : root_(root), limit_(limit), reader_(reader) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return begin(false); }
  bool on_object_end(std::size_t, json::error_code&) { return end(); }
  bool on_array_begin(json::error_code&) { return begin(true); }
  bool on_array_end(std::size_t, json::error_code&) { return end(); }

  bool on_key_part(json::string_view slice, std::size_t, json::error_code&) {
    if (skipped_ == 0) slices_.add(view(slice), limit_);
    return true;
  }

  bool on_key(json::string_view last, std::size_t, json::error_code&) {
    if (skipped_ > 0) return true;
    const auto key = slices_.whole(view(last), limit_);
    Frame& top = frames_.back();
    next_ = nullptr;
    if (top.node != nullptr) {
      next_is_built_ = top.node->is_captured() && key && top.node->takes(*key);
      if (!next_is_built_ && key) next_ = top.node->child(*key);
    }
    if (is_built()) {
      if (key)
        capture().push(kValueBytes + key->size(), limit_, [&](json::value_stack& stack) {
          stack.push_key({key->data(), key->size()});
        });
      else
        capture().push(limit_ + 1, limit_, [](json::value_stack&) {});
    }
    slices_.clear();
    return true;
  }

  bool on_string_part(json::string_view slice, std::size_t, json::error_code&) {
    if (skipped_ == 0 && is_wanted()) slices_.add(view(slice), limit_);
    return true;
  }

  bool on_string(json::string_view last, std::size_t, json::error_code&) {
    if (skipped_ > 0) return true;
    if (!is_wanted()) return scalar(0, [](json::value_stack& stack) { stack.push_null(); });
    const auto text = slices_.whole(view(last), limit_);
    const std::size_t bytes = text ? text->size() : limit_ + 1;
    scalar(bytes, [&](json::value_stack& stack) {
      stack.push_string({text->data(), text->size()});
    });
    slices_.clear();
    return true;
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    return scalar(0, [&](json::value_stack& stack) { stack.push_int64(number); });
  }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
    return scalar(0, [&](json::value_stack& stack) { stack.push_uint64(number); });
  }
  bool on_double(double number, json::string_view, json::error_code&) {
    return scalar(0, [&](json::value_stack& stack) { stack.push_double(number); });
  }
  bool on_bool(bool value, json::error_code&) {
    return scalar(0, [&](json::value_stack& stack) { stack.push_bool(value); });
  }
  bool on_null(json::error_code&) {
    return scalar(
        0, [](json::value_stack& stack) { stack.push_null(); }, true);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  /// A container that is not skipped.
  struct Frame {
    const Node* node;  ///< null within a part
    bool list;
    bool built;         ///< it is put into the part
    bool opens;         ///< it is the part
    std::size_t count;  ///< of elements, or of members that are built
  };

  static std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

  Capture& capture() { return *captures_[open_captures_ - 1]; }

  /// Whether the value that begins is put into the part that is being built.
  bool is_built() const {
    if (frames_.empty()) return false;
    const Frame& top = frames_.back();
    return top.node == nullptr || (top.built && next_is_built_);
  }

  /// The place of the value that begins; absent: nobody wants it.
  const Node* place() const {
    if (frames_.empty()) return &root_;
    const Frame& top = frames_.back();
    return top.list ? (top.node == nullptr ? nullptr : top.node->element.get()) : next_;
  }

  bool is_wanted() const {
    if (is_built()) return true;
    const Node* node = place();
    return node != nullptr && node->is_captured();
  }

  /// Counts the value that begins; its index if it is an element.
  std::size_t count() {
    if (frames_.empty()) return 0;
    Frame& top = frames_.back();
    if (top.list || is_built()) top.count++;
    return top.list ? top.count : 0;
  }

  void open_capture(const Node& node, std::size_t index) {
    if (open_captures_ == captures_.size()) captures_.push_back(std::make_unique<Capture>());
    open_captures_++;
    capture().open(node, index);
  }

  void close_capture() {
    capture().close(reader_);
    open_captures_--;
  }

  bool begin(bool list) {
    if (skipped_ > 0) {
      skipped_++;
      return true;
    }
    const bool built = is_built();
    const Node* node = built ? nullptr : place();
    const std::size_t index = count();
    if (built) {
      frames_.push_back({nullptr, list, true, false, 0});
    } else if (node != nullptr && node->is_captured()) {
      open_capture(*node, index);
      const bool filtered = !list && (!node->members.empty() || !node->children.empty());
      frames_.push_back({filtered ? node : nullptr, list, true, true, 0});
    } else if (node != nullptr && (list ? node->element != nullptr : node->element == nullptr)) {
      if (node->part) reader_.on_part(*node->part, nullptr, index);
      frames_.push_back({node, list, false, false, 0});
    } else {
      if (node != nullptr) reader_.on_mismatch(node->path);
      skipped_ = 1;
    }
    return true;
  }

  bool end() {
    if (skipped_ > 0) {
      skipped_--;
      return true;
    }
    const Frame frame = frames_.back();
    frames_.pop_back();
    if (frame.built)
      capture().push(kValueBytes, limit_, [&](json::value_stack& stack) {
        if (frame.list)
          stack.push_array(frame.count);
        else
          stack.push_object(frame.count);
      });
    if (frame.opens) close_capture();
    return true;
  }

  template <class Push>
  bool scalar(std::size_t bytes, Push push, bool is_null = false) {
    if (skipped_ > 0) return true;
    const bool built = is_built();
    const Node* node = built ? nullptr : place();
    const std::size_t index = count();
    if (built) {
      capture().push(kValueBytes + bytes, limit_, push);
    } else if (node != nullptr && node->is_captured()) {
      open_capture(*node, index);
      capture().push(kValueBytes + bytes, limit_, push);
      close_capture();
    } else if (node != nullptr && !is_null) {
      reader_.on_mismatch(node->path);
    }
    return true;
  }

  const Node& root_;
  const std::size_t limit_;
  JsonPartReader& reader_;
  std::vector<Frame> frames_;
  std::vector<std::unique_ptr<Capture>> captures_;
  std::size_t open_captures_ = 0;
  std::size_t skipped_ = 0;     // containers that are open and skipped
  const Node* next_ = nullptr;  // of the member whose key was read
  bool next_is_built_ = false;  // that member is put into the part
  Slices slices_;
};

/// The next step of a path, which is taken off it: a key, or "[]".
std::string_view take_step(std::string_view& path) {
  if (path.starts_with("[]")) {
    path.remove_prefix(2);
    if (path.starts_with('.')) path.remove_prefix(1);
    return "[]";
  }
  const std::string_view key = path.substr(0, path.find_first_of(".["));
  path.remove_prefix(key.size());
  if (path.starts_with('.')) path.remove_prefix(1);
  return key;
}

Node& step_to(Node& from, std::string_view step) {
  if (step == "[]") {
    if (!from.element) {
      from.element = std::make_unique<Node>();
      from.element->path = from.path + "[]";
    }
    return *from.element;
  }
  for (auto& child : from.children)
    if (child->key == step) return *child;
  from.children.push_back(std::make_unique<Node>());
  Node& made = *from.children.back();
  made.key = std::string(step);
  made.path = from.path.empty() ? made.key : from.path + "." + made.key;
  return made;
}

}  // namespace

JsonLists::JsonLists(const std::vector<JsonPart>& parts) : root_(std::make_unique<Node>()) {
  root_->path = "";
  for (std::size_t i = 0; i < parts.size(); i++) {
    Node* node = root_.get();
    for (std::string_view path = parts[i].path; !path.empty();)
      node = &step_to(*node, take_step(path));
    node->part = i;
    node->members = parts[i].members;
    node->only_seen = parts[i].only_seen;
  }
}

JsonLists::~JsonLists() = default;

base::Result<void> JsonLists::read(std::string_view text, std::size_t max_part_bytes,
                                   JsonPartReader& reader) const {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  try {
    json::error_code error;
    json::basic_parser<Handler> parser(options, *root_, max_part_bytes, reader);
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (!error && used < text.size()) error = json::error::extra_data;
    if (error) return base::Error{Errc::bad_json, error.message()};
    return {};
  } catch (const std::bad_alloc&) {
    return base::Error{Errc::bad_json, "it decodes to too much memory"};
  } catch (const std::length_error& error) {
    return base::Error{Errc::bad_json, error.what()};
  }
}

}  // namespace viaduct::mesos
