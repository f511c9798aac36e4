// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// What a long run is made of, in a form that can be kept and taken up again.
//
// A type has state if it has one member that names its parts,
//
//   template <class A>
//   void state(A& a) {
//     a.setting("children", policy_.children);  // what must be the same when the run goes on
//     a("generation", generation_);
//     a("champions", *champions_);
//     if constexpr (A::reading) breed();        // what follows from the rest
//   }
//
// which a state_writer walks through to keep them and a state_reader to put them back, so that both name the same parts.

namespace pareidolia {

/// Numbers of one type, as a state keeps them: bytes of a dense row-major array.
struct state_array {
  std::string_view type;  ///< in the words of safetensors: "F32", "F64", "U8", "I32", "U32", "I64", "U64"
  std::vector<std::size_t> shape;
  std::vector<std::byte> bytes;

  friend bool operator==(state_array const&, state_array const&) = default;
};

/// A state: arrays by their names, and the settings it belongs to.
struct saved_state {
  std::map<std::string, std::string> settings;
  std::map<std::string, state_array> arrays;

  friend bool operator==(saved_state const&, saved_state const&) = default;
};

namespace detail {

template <class T>
[[nodiscard]] consteval std::string_view type_name() {
  static_assert(std::is_arithmetic_v<T>, "state: parts are numbers, vectors, views and tensors of them, populations, or have state()");
  if constexpr (std::same_as<T, float>)
    return "F32";
  else if constexpr (std::same_as<T, double>)
    return "F64";
  else if constexpr (sizeof(T) == 1)
    return "U8";
  else if constexpr (sizeof(T) == 4)
    return std::is_signed_v<T> ? "I32" : "U32";
  else
    return std::is_signed_v<T> ? "I64" : "U64";
}

template <class P>
concept row_population = requires(P& p, P const& q) {
  p.rows();
  q.rows();
  q.size();
};
template <class P>
concept packed_population = requires(P& p, P const& q) {
  p.unpack(q.packed());
};

template <class T>
concept number_or_name = std::is_arithmetic_v<T> || std::is_enum_v<T>;

}  // namespace detail

/// Walks through a state and keeps its parts in a saved_state. A copy made by part() keeps them under "name/".
class state_writer {
 public:
  static constexpr bool reading = false;

  explicit state_writer(saved_state& to, std::string prefix = {}) : to_(&to), prefix_(std::move(prefix)) {}

  [[nodiscard]] state_writer part(std::string_view name) const { return state_writer(*to_, prefix_ + std::string(name) + "/"); }

  /// A number or text that must be the same in the run that takes the state up.
  template <class T>
  void setting(std::string_view name, T const& value) {
    to_->settings[prefix_ + std::string(name)] = spelt(value);
  }

  template <class T>
  void operator()(std::string_view name, T& value) {
    using type = std::remove_const_t<T>;
    if constexpr (detail::number_or_name<type>) {
      if constexpr (std::is_enum_v<type>)
        numbers<std::underlying_type_t<type>>(name, {}, std::array{static_cast<std::underlying_type_t<type>>(value)});
      else
        numbers<type>(name, {}, std::array{value});
    } else if constexpr (std::same_as<type, saved_state>) {
      std::string const inside = prefix_ + std::string(name) + "/";
      for (auto const& [key, setting] : value.settings) to_->settings[inside + key] = setting;
      for (auto const& [key, array] : value.arrays) to_->arrays[inside + key] = array;
    } else if constexpr (detail::packed_population<type>) {
      auto const rows = value.packed();
      tensor_of(name, as_view(rows));
    } else if constexpr (detail::row_population<type>) {
      tensor_of(name, std::as_const(value).rows());
    } else if constexpr (requires { value.state(*this); }) {
      auto inner = part(name);
      value.state(inner);
    } else if constexpr (requires { value.view(); }) {
      tensor_of(name, std::as_const(value).view());
    } else if constexpr (requires { as_view(value); }) {
      tensor_of(name, as_view(std::as_const(value)));
    } else if constexpr (requires {
                           value.stride();
                           value.shape;
                         }) {
      tensor_of(name, value);
    } else if constexpr (std::same_as<typename type::value_type, std::string>) {
      std::string joined;
      for (std::string const& text : value) (joined += text) += '\n';
      numbers<char>(name, {joined.size()}, joined);
    } else {
      numbers<typename type::value_type>(name, {value.size()}, value);
    }
  }

  /// All parts of a state that was written elsewhere.
  void insert(saved_state const& parts) {
    for (auto const& [name, value] : parts.settings) to_->settings[prefix_ + name] = value;
    for (auto const& [name, array] : parts.arrays) to_->arrays[prefix_ + name] = array;
  }

  /// As a setting would be written: numbers so that they can be read back exactly.
  template <class T>
  [[nodiscard]] static std::string spelt(T const& value) {
    std::ostringstream out;
    out.precision(17);
    if constexpr (std::is_enum_v<T>)
      out << +static_cast<std::underlying_type_t<T>>(value);
    else if constexpr (std::same_as<T, float>)
      out.precision(9), out << value;
    else if constexpr (std::is_arithmetic_v<T>)
      out << +value;
    else
      out << value;
    return std::move(out).str();
  }

 private:
  template <class T, class Range>
  void numbers(std::string_view name, std::vector<std::size_t> shape, Range const& values) {
    auto const bytes = std::as_bytes(std::span(std::data(values), std::size(values)));
    to_->arrays[prefix_ + std::string(name)] = {detail::type_name<T>(), std::move(shape), {bytes.begin(), bytes.end()}};
  }

  template <class T, std::size_t Rank, space S>
  void tensor_of(std::string_view name, view<T, Rank, S> values) {
    using number = std::remove_const_t<T>;
    std::vector<std::size_t> shape(values.shape.begin(), values.shape.end());
    if constexpr (S == space::host) {
      numbers<number>(name, std::move(shape), std::span(values.data, values.size()));
    } else {
      tensor<number, Rank> here(values.shape);
      copy(view<number const, Rank, S>(values), as_view(here));
      numbers<number>(name, std::move(shape), std::span(here.data(), here.size()));
    }
  }

  saved_state* to_;
  std::string prefix_;
};

/// Walks through a state and puts back the parts that a saved_state has. `source` names it in errors.
///
/// Errors: a setting that differs or is missing, a part that is missing or has another shape or type. What is left when all has been read
/// (`finish()`) belongs to another kind of run, and is an error, too.
class state_reader {
 public:
  static constexpr bool reading = true;

  state_reader(saved_state const& from, std::string source)
      : from_(&from), source_(std::move(source)), asked_(std::make_shared<std::set<std::string>>()) {}

  [[nodiscard]] state_reader part(std::string_view name) const {
    state_reader inner = *this;
    inner.prefix_ += std::string(name) + "/";
    return inner;
  }

  template <class T>
  void setting(std::string_view name, T const& value) {
    std::string const key = prefix_ + std::string(name), now = state_writer::spelt(value);
    asked_->insert(key);
    auto const found = from_->settings.find(key);
    if (found == from_->settings.end()) detail::fail(source_, ": it has no setting '", key, "'; it belongs to another kind of run");
    if (found->second != now)
      detail::fail(source_, ": it was made with ", key, " = ", found->second, ", this run has ", now,
                   "; go on with the same, or name another file");
  }

  template <class T>
  void operator()(std::string_view name, T& value) {
    if constexpr (detail::number_or_name<T>) {
      auto const& a = array<stored<T>>(name, 0);
      stored<T> number;
      std::memcpy(&number, a.bytes.data(), sizeof number);
      value = static_cast<T>(number);
    } else if constexpr (std::same_as<T, saved_state>) {
      value = {};
      take_inside(name, from_->settings, value.settings);
      take_inside(name, from_->arrays, value.arrays);
    } else if constexpr (detail::packed_population<T>) {
      auto rows = value.packed();
      read_tensor(name, rows);
      value.unpack(rows);
    } else if constexpr (detail::row_population<T>) {
      fill(name, value.rows());
    } else if constexpr (requires { value.state(*this); }) {
      auto inner = part(name);
      value.state(inner);
    } else if constexpr (requires { value.view(); }) {
      fill(name, value.view());
    } else if constexpr (requires { as_view(value); }) {
      read_tensor(name, value);
    } else if constexpr (requires {
                           value.stride();
                           value.shape;
                         }) {
      fill(name, value);
    } else if constexpr (std::same_as<typename T::value_type, std::string>) {
      auto const& a = array<char>(name, 1);
      std::string text(a.bytes.size(), '\0');
      std::memcpy(text.data(), a.bytes.data(), text.size());
      std::istringstream lines(text);
      value.clear();
      for (std::string line; std::getline(lines, line);) value.push_back(line);
    } else if constexpr (requires { value.resize(0); }) {
      auto const& a = array<typename T::value_type>(name, 1);
      value.resize(a.shape[0]);
      put_back(a, std::span(value));
    } else {
      auto const& a = array<typename T::value_type>(name, 1);
      if (a.shape[0] != value.size()) mismatch(name, a);
      put_back(a, std::span(value));
    }
  }

  /// Leaves out all parts from here on: they are read elsewhere.
  void skip() {
    for (auto const& [name, ignored] : from_->settings)
      if (name.starts_with(prefix_)) asked_->insert(name);
    for (auto const& [name, ignored] : from_->arrays)
      if (name.starts_with(prefix_)) asked_->insert(name);
  }

  /// That the state was this run's, all of it.
  void finish() const {
    for (auto const& [name, ignored] : from_->settings)
      if (!asked_->contains(name))
        detail::fail(source_, ": it has a setting '", name, "' that this run has not; it belongs to another kind of run");
    for (auto const& [name, ignored] : from_->arrays)
      if (!asked_->contains(name))
        detail::fail(source_, ": it has '", name, "', which this run does not know; it belongs to another kind of run");
  }

 private:
  template <class T>
  struct storing {
    using type = T;
  };
  template <class T>
  requires std::is_enum_v<T>
  struct storing<T> {
    using type = std::underlying_type_t<T>;
  };
  template <class T>
  using stored = typename storing<T>::type;

  template <class T, std::size_t Extent>
  static void put_back(state_array const& a, std::span<T, Extent> to) {
    if (!to.empty()) std::memcpy(to.data(), a.bytes.data(), to.size_bytes());
  }

  [[noreturn]] void mismatch(std::string_view name, state_array const& a) const {
    std::string shape;
    for (std::size_t extent : a.shape) shape += (shape.empty() ? "" : "x") + std::to_string(extent);
    detail::fail(source_, ": '", prefix_, name, "' is ", a.type, " of shape (", shape,
                 "), not what this run has; it belongs to another one");
  }

  template <class T>
  state_array const& array(std::string_view name, std::size_t rank) {
    std::string const key = prefix_ + std::string(name);
    asked_->insert(key);
    auto const found = from_->arrays.find(key);
    if (found == from_->arrays.end()) detail::fail(source_, ": it has no '", key, "'; it belongs to another kind of run");
    state_array const& a = found->second;
    std::size_t count = sizeof(T);
    for (std::size_t extent : a.shape) count *= extent;
    if (a.type != detail::type_name<T>() || a.shape.size() != rank || a.bytes.size() != count) mismatch(name, a);
    return a;
  }

  // What is under "name/", which another reader will look into.
  template <class Entries>
  void take_inside(std::string_view name, Entries const& from, Entries& to) {
    std::string const inside = prefix_ + std::string(name) + "/";
    for (auto const& [key, entry] : from)
      if (key.starts_with(inside)) {
        asked_->insert(key);
        to[key.substr(inside.size())] = entry;
      }
  }

  template <class T, std::size_t Rank, space S>
  void fill(std::string_view name, view<T, Rank, S> to) {
    auto const& a = array<T>(name, Rank);
    if (!std::equal(to.shape.begin(), to.shape.end(), a.shape.begin())) mismatch(name, a);
    tensor<T, Rank> here(to.shape);
    if (!a.bytes.empty()) std::memcpy(here.data(), a.bytes.data(), a.bytes.size());
    copy(view<T const, Rank>(as_view(here)), to);
  }

  template <class T, std::size_t Rank>
  void read_tensor(std::string_view name, tensor<T, Rank>& to) {
    auto const& a = array<T>(name, Rank);
    std::array<std::size_t, Rank> shape;
    std::copy(a.shape.begin(), a.shape.end(), shape.begin());
    to = filled<T, Rank>(shape);
    if (!a.bytes.empty()) std::memcpy(to.data(), a.bytes.data(), a.bytes.size());
  }

  saved_state const* from_;
  std::string source_, prefix_;
  std::shared_ptr<std::set<std::string>> asked_;
};

/// One member of each of several items, as an array: `column(a, "values", elites, &elite::value)`.
template <class A, class Items, class T, class Item>
void column(A& a, std::string_view name, Items& items, T Item::*member) {
  std::vector<T> values;
  for (Item const& item : items) values.push_back(item.*member);
  a(name, values);
  if constexpr (A::reading) {
    if constexpr (requires { items.resize(0); }) items.resize(values.size());
    if (items.size() != values.size()) detail::fail("state: '", name, "' has ", values.size(), " entries for ", items.size());
    for (std::size_t i = 0; i < values.size(); ++i) items[i].*member = values[i];
  }
}

/// A type with a state that can be kept and taken up.
template <class T>
concept Stateful = requires(T& t, state_writer& w, state_reader& r) {
  { t.state(w) } -> std::same_as<void>;
  { t.state(r) } -> std::same_as<void>;
};

/// Keeps the state of a run somewhere, so that it can be taken up where it was: io/checkpoint.hpp has the one that keeps it in a file.
///
/// Given to run() and train() among their sinks. `k.restore()` is called once, before the first step; nothing means the run begins at its
/// beginning. After each step `k.due(last)` says whether it wants the state now, and `k.keep(state)` is given it; `last` is true when the
/// run ends, for whatever reason. `k.name()` names it in errors.
template <class K>
inline constexpr bool is_state_keeper = requires(K& k, saved_state s, bool last) {
  { k.restore() } -> std::same_as<std::optional<saved_state>>;
  { k.due(last) } -> std::convertible_to<bool>;
  { k.keep(std::move(s)) } -> std::same_as<void>;
  { k.name() } -> std::convertible_to<std::string>;
};
template <class K>
concept StateKeeper = is_state_keeper<std::remove_reference_t<K>>;

namespace detail {

/// What a part of a run says of itself that the result depends on.
template <class A, class Part>
void describe(A& a, std::string_view name, Part const& part) {
  auto inner = a.part(name);
  if constexpr (requires { part.settings(inner); }) part.settings(inner);
}

/// A type as the compiler writes it.
template <class T>
[[nodiscard]] constexpr std::string_view type_spelling() {
  std::string_view const all = __PRETTY_FUNCTION__;  // "... [with T = type; ...]" (GCC), "... [T = type]" (Clang)
  std::size_t const first = all.find("T = ") + 4;
  return all.substr(first, std::min(all.find(';', first), all.size() - 1) - first);
}

/// Visits a run and those of its sinks that have state.
template <class A, class Run, class... Extras>
void visit_state(A& a, Run& run, Extras&... extras) {
  run(a);
  std::size_t k = 0;
  [[maybe_unused]] auto const visit = [&](auto& extra) {
    if constexpr (Stateful<std::remove_reference_t<decltype(extra)>>) {
      auto inner = a.part(text("sink ", k++));
      extra.state(inner);
    }
  };
  (visit(extras), ...);
}

/// Puts back what a keeper among `extras` has. `run(archive)` walks through the state of the run itself.
template <class Run, class... Extras>
void restore_state(Run const& run, Extras&... extras) {
  [[maybe_unused]] auto const restore = [&](auto& keeper) {
    if constexpr (StateKeeper<decltype(keeper)>)
      if (std::optional<saved_state> const found = keeper.restore()) {
        state_reader reader(*found, keeper.name());
        visit_state(reader, run, extras...);
        reader.finish();
      }
  };
  (restore(extras), ...);
}

/// Gives the state to those among `extras` that want it now.
template <class Run, class... Extras>
void keep_state(Run const& run, bool last, Extras&... extras) {
  [[maybe_unused]] auto const keep = [&](auto& keeper) {
    if constexpr (StateKeeper<decltype(keeper)>)
      if (keeper.due(last)) {
        saved_state now;
        state_writer writer(now);
        visit_state(writer, run, extras...);
        keeper.keep(std::move(now));
      }
  };
  (keep(extras), ...);
}

}  // namespace detail
}  // namespace pareidolia
