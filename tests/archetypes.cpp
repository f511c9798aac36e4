// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/optimizers/cma_es.hpp>
#include <pareidolia/optimizers/genetic.hpp>
#include <pareidolia/optimizers/map_elites.hpp>
#include <pareidolia/optimizers/pgd.hpp>
#include <pareidolia/optimizers/polished.hpp>

#include <doctest/doctest.h>

#include <support/archetypes.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

// The least types that the contracts allow are enough for run() and measure(), and each verb that is taken away is missed.

namespace pareidolia_test {
namespace {

constexpr auto host = space::host, device = space::device;

// ------------------------------------------------------- the least is enough
static_assert(Model<model<host>> && Model<model<device>> && !Model<nothing> && !Model<int>);
static_assert(DifferentiableModel<smooth_model<device>> && !DifferentiableModel<model<host>>);
static_assert(TrainableModel<trainable_model<host>> && !TrainableModel<model<host>>);
static_assert(LayeredModel<layered_model<host>> && LayeredModel<layered_model<device>> && !LayeredModel<model<host>>);
static_assert(FingerprintedModel<fingerprinted_model<host>> && !FingerprintedModel<model<host>>);
static_assert(Population<encoding::population<host>> && !Population<nothing>);
static_assert(Encoding<encoding, host> && Encoding<encoding, device> && !Encoding<nothing, host>);
static_assert(DifferentiableEncoding<smooth_encoding, device> && !DifferentiableEncoding<encoding, device>);
static_assert(EvolvableEncoding<evolvable_encoding, host> && !EvolvableEncoding<encoding, host>);
static_assert(ScheduledEncoding<scheduled_encoding, host> && !ScheduledEncoding<evolvable_encoding, host>);
static_assert(Objective<objective<host>, host> && !Objective<objective<host>, device>);  // the wrong memory does not compile
static_assert(DifferentiableObjective<smooth_objective<host>, host> && !DifferentiableObjective<objective<host>, host>);
static_assert(ClasswiseObjective<classwise_objective<host>, host> && !ClasswiseObjective<objective<host>, host>);
static_assert(Optimizer<deaf, encoding, host> && !Optimizer<nothing, encoding, host>);
static_assert(ScoreOptimizer<climber, encoding, host> && !GradientOptimizer<climber, encoding, host>);
static_assert(ClasswiseOptimizer<collector, encoding, host> && !ScoreOptimizer<collector, encoding, host>);
static_assert(TargetingOptimizer<aimer, encoding, host> && !TargetingOptimizer<collector, encoding, host>);
static_assert(ClimbingEncoding<climbing_encoding, host> && !ClimbingEncoding<smooth_encoding, host>);
static_assert(GradientOptimizer<follower, encoding, device> && !ScoreOptimizer<follower, encoding, device>);
static_assert(SparingSearch<sparing_search<encoding, host>, encoding, host> &&
              !SparingSearch<gradient_search<encoding, host>, encoding, host>);
static_assert(JacobianOptimizer<chooser, encoding, device> && !JacobianOptimizer<climber, encoding, device>);
static_assert(SamplingOptimizer<sampler, encoding, host> && !SamplingOptimizer<climber, encoding, host>);
static_assert(ImagewiseOptimizer<walker, encoding, host> && !ImagewiseOptimizer<climber, encoding, host>);
static_assert(VectorPopulation<vectors<host>, host> && !VectorPopulation<encoding::population<host>, host>);
static_assert(NormedEncoding<normed_encoding, host> && !ConstrainedEncoding<smooth_encoding, host>);
static_assert(ImageObjective<image_objective<host>, host> && !ImageObjective<smooth_objective<host>, host>);
static_assert(Probe<probe<host>, model<host>> && !Probe<probe<device>, model<host>> && !Probe<nothing, model<host>>);
static_assert(Engine<engine<float, host>> && Engine<engine<double, host>> && Engine<engine<float, device>> && !Engine<nothing>);
static_assert(ClasswiseOptimizer<map_elites, evolvable_encoding, host> && ClasswiseOptimizer<map_elites, scheduled_encoding, host>);

template <space S>
using scores_only = attack<encoding, objective<S>, climber>;
template <space S>
using classes = attack<encoding, classwise_objective<S>, collector>;
template <space S>
using gradients = attack<smooth_encoding, smooth_objective<S>, follower>;
static_assert(RunsOn<scores_only<host>, model<host>> && RunsOn<scores_only<device>, model<device>>);
static_assert(RunsOn<classes<host>, model<host>> && RunsOn<classes<device>, model<device>>);
static_assert(RunsOn<gradients<host>, smooth_model<host>> && RunsOn<gradients<device>, smooth_model<device>>);

// --------------------------------------------- each verb that is taken away
template <class Base>
struct without_input : Base {
  void input() = delete;
};
template <class Base>
struct without_classes : Base {
  void classes() = delete;
};
template <class Base>
struct without_prepare : Base {
  void prepare() = delete;
};
template <class Base>
struct without_forward : Base {
  void forward() = delete;
};
template <class Base>
struct without_workspace : Base {
  using workspace = void;
};
template <class Base>
struct without_memory : Base {
  static constexpr int memory = 7;
};
template <class Base>
struct without_population : Base {
  using population = void;
};
template <class Base>
struct without_buffer : Base {
  void buffer() = delete;
};
template <class Base>
struct without_decode : Base {
  void decode() = delete;
};
template <class Base>
struct without_draw : Base {
  void draw() = delete;
};
template <class Base>
struct without_vary : Base {
  void vary() = delete;
};
template <class Base>
struct without_value : Base {
  void value() = delete;
};
template <class Base>
struct without_targeted : Base {
  void targeted() = delete;
};
template <class Base>
struct without_load : Base {
  void load() = delete;
};
template <class Base>
struct without_compile : Base {
  void compile() = delete;
};
template <class Base>
struct without_scalar : Base {
  using scalar = nothing;
};

template <class M, class E = encoding, class B = objective<host>, class O = climber>
constexpr bool runs = RunsOn<attack<E, B, O>, M>;
static_assert(runs<model<host>>);
static_assert(!runs<without_input<model<host>>> && !runs<without_classes<model<host>>> && !runs<without_prepare<model<host>>>);
static_assert(!runs<without_forward<model<host>>> && !runs<without_workspace<model<host>>> && !runs<without_memory<model<host>>>);
static_assert(!runs<nothing> && !runs<int>);
static_assert(!runs<model<host>, without_population<encoding>> && !runs<model<host>, without_buffer<encoding>>);
static_assert(!runs<model<host>, without_decode<encoding>> && !runs<model<host>, nothing>);
static_assert(!runs<model<host>, encoding, without_value<objective<host>>> && !runs<model<host>, encoding, nothing>);
static_assert(!runs<model<host>, encoding, without_targeted<objective<host>>> && !runs<model<host>, encoding, objective<device>>);
static_assert(!runs<model<host>, encoding, objective<host>, nothing> && !runs<model<host>, encoding, objective<host>, deaf>);
static_assert(!runs<model<device>, encoding, objective<host>>);
static_assert(!RunsOn<attack<encoding, climber, objective<host>>, model<host>>);  // parts swapped
static_assert(!RunsOn<nothing, model<host>>);

static_assert(!EvolvableEncoding<without_draw<evolvable_encoding>, host> && !EvolvableEncoding<without_vary<evolvable_encoding>, host>);
static_assert(runs<model<host>, evolvable_encoding, classwise_objective<host>, map_elites>);
static_assert(!runs<model<host>, encoding, classwise_objective<host>, map_elites>);
static_assert(!runs<model<host>, without_draw<evolvable_encoding>, classwise_objective<host>, map_elites>);
static_assert(!runs<model<host>, without_vary<evolvable_encoding>, classwise_objective<host>, map_elites>);

static_assert(!runs<model<host>, encoding, objective<host>, collector>);                        // no values
static_assert(!runs<model<host>, smooth_encoding, smooth_objective<host>, follower>);           // no backward
static_assert(!runs<smooth_model<host>, encoding, smooth_objective<host>, follower>);           // no pullback
static_assert(!runs<smooth_model<host>, smooth_encoding, objective<host>, follower>);           // no seed
static_assert(!runs<smooth_model<device>, smooth_encoding, smooth_objective<host>, follower>);  // objective in other memory
static_assert(runs<smooth_model<host>, smooth_encoding, smooth_objective<host>, climber>);      // more than is needed
static_assert(!Engine<without_load<engine<float, host>>> && !Engine<without_compile<engine<float, host>>>);
static_assert(!Engine<without_scalar<engine<float, host>>> && !Engine<without_memory<engine<float, host>>>);

// ------------------------------------------------ and of a search and a plan
template <class E, space S>
struct endless : score_search<E, S> {
  using score_search<E, S>::score_search;
  void done() = delete;
};
template <class E, space S>
struct silent : score_search<E, S> {
  using score_search<E, S>::score_search;
  void ask() = delete;
};
template <class E, space S>
struct hopeless : score_search<E, S> {
  using score_search<E, S>::score_search;
  void best() = delete;
};
template <class E, space S>
struct lost : score_search<E, S> {
  using score_search<E, S>::score_search;
  void where() = delete;
};
static_assert(!Optimizer<optimizer<endless>, encoding, host> && !Optimizer<optimizer<silent>, encoding, host>);
static_assert(!Optimizer<optimizer<hopeless>, encoding, host> && !Optimizer<optimizer<lost>, encoding, host>);
static_assert(!runs<model<host>, encoding, objective<host>, optimizer<endless>>);

// Each verb of the refinements.
template <class E, space S>
struct greedy : sparing_search<E, S> {
  using sparing_search<E, S>::sparing_search;
  void wants_gradients() = delete;
};
template <class E, space S>
struct shy : jacobian_search<E, S> {
  using jacobian_search<E, S>::jacobian_search;
  void backwards() = delete;
};
template <class E, space S>
struct barren : jacobian_search<E, S> {
  using jacobian_search<E, S>::jacobian_search;
  void seed() = delete;
};
template <class E, space S>
struct unteachable : jacobian_search<E, S> {
  using jacobian_search<E, S>::jacobian_search;
  void learn() = delete;
};
template <class E, space S>
struct tireless : imagewise_search<E, S> {
  using imagewise_search<E, S>::imagewise_search;
  void finished() = delete;
};
template <class E, space S>
struct crowded : imagewise_search<E, S> {
  using imagewise_search<E, S>::imagewise_search;
  void replace() = delete;
};
static_assert(!SparingSearch<greedy<encoding, host>, encoding, host> && !JacobianOptimizer<optimizer<shy>, encoding, host>);
static_assert(!JacobianOptimizer<optimizer<barren>, encoding, host> && !JacobianOptimizer<optimizer<unteachable>, encoding, host>);
static_assert(!ImagewiseOptimizer<optimizer<tireless>, encoding, host> && !ImagewiseOptimizer<optimizer<crowded>, encoding, host>);
template <class E, space S>
struct aimless : targeting_search<E, S> {
  using targeting_search<E, S>::targeting_search;
  void targets() = delete;
};
template <class E, space S>
struct unmoved : targeting_search<E, S> {
  using targeting_search<E, S>::targeting_search;
  void learn() = delete;
};
static_assert(!TargetingOptimizer<optimizer<aimless>, encoding, host> && !TargetingOptimizer<optimizer<unmoved>, encoding, host>);
static_assert(runs<smooth_model<host>, smooth_encoding, smooth_classwise_objective<host>, aimer>);
static_assert(!runs<model<host>, smooth_encoding, smooth_classwise_objective<host>, aimer>);
static_assert(!runs<smooth_model<host>, encoding, smooth_classwise_objective<host>, aimer>);
static_assert(!runs<smooth_model<host>, smooth_encoding, classwise_objective<host>, aimer>);
static_assert(!runs<smooth_model<host>, smooth_encoding, smooth_objective<host>, aimer>);

struct without_climb : climbing_encoding {
  void climb() = delete;
};
static_assert(TargetingOptimizer<polished, climbing_encoding, host> && !Optimizer<polished, without_climb, host>);
static_assert(!Optimizer<polished, evolvable_encoding, host> && !Optimizer<polished, smooth_encoding, host>);
static_assert(runs<smooth_model<host>, smooth_encoding, objective<host>, chooser>);  // seeds of its own: the objective needs none
static_assert(!runs<model<host>, smooth_encoding, objective<host>, chooser> &&
              !runs<smooth_model<host>, encoding, objective<host>, chooser>);

struct without_project : normed_encoding {
  void project() = delete;
};
struct without_steepest : normed_encoding {
  void steepest() = delete;
};
struct without_scatter : normed_encoding {
  void scatter() = delete;
};
static_assert(!ConstrainedEncoding<without_project, host> && ConstrainedEncoding<without_steepest, host>);
static_assert(!NormedEncoding<without_steepest, host> && !NormedEncoding<without_scatter, host>);
static_assert(GradientOptimizer<pgd, normed_encoding, host> && !Optimizer<pgd, without_steepest, host> && !Optimizer<pgd, pixels, host>);

struct without_size : encoding::population<host> {
  void size() = delete;
};
struct without_assign : encoding::population<host> {
  void assign() = delete;
};
static_assert(!Population<without_size> && !Population<without_assign>);

using least_plan = engine<double, host>::plan;
struct plan_without_forward : least_plan {
  void forward() = delete;
};
struct plan_without_activation : least_plan {
  void activation() = delete;
};
struct plan_without_backward : least_plan {
  void backward() = delete;
};
struct plan_without_backward_weights : least_plan {
  void backward_weights() = delete;
};
static_assert(Plan<least_plan, double, host> && !Plan<least_plan, float, host> && !Plan<least_plan, double, device>);
static_assert(!Plan<plan_without_forward, double, host> && !Plan<plan_without_backward, double, host>);
static_assert(!Plan<plan_without_activation, double, host> && !Plan<plan_without_backward_weights, double, host>);

using least_parameters = engine<double, host>::parameters;
struct parameters_without_size : least_parameters {
  void size() = delete;
};
struct parameters_without_read : least_parameters {
  void read() = delete;
};
struct parameters_without_write : least_parameters {
  void write() = delete;
};
static_assert(ParameterStore<least_parameters, double> && !ParameterStore<least_parameters, float>);
static_assert(!ParameterStore<parameters_without_size, double> && !ParameterStore<parameters_without_read, double>);
static_assert(!ParameterStore<parameters_without_write, double>);

// ------------------------------------------------------------ sinks
struct watcher : pinned {
  std::size_t* steps;
  explicit watcher(std::size_t& n) : steps(&n) {}
  void operator()(step const&) { ++*steps; }
};
struct judge : pinned {
  verdict operator()(step const&) { return verdict::go_on; }
};
static_assert(Sink<watcher> && Sink<watcher&> && Sink<judge> && !Sink<nothing> && !Sink<watcher const&>);

}  // namespace

TEST_CASE("run asks of its parts no more than the contracts say") {
  auto const canvas = labelled_images{filled<float, 4>({4, 1, 2, 2}), {0, 1, 2, 0}};
  auto const image = blank({1, 2, 2});
  std::size_t steps = 0;
  judge same;
  CHECK(run(scores_only<host>{}, model<host>{}, canvas, rng(1), watcher(steps), same).steps == 2);
  CHECK(run(classes<host>{}, model<host>{}, canvas, rng(1), watcher(steps), judge()).steps == 2);
  CHECK(run(gradients<host>{}, smooth_model<host>{}, canvas, rng(1), watcher(steps)).backwards == 8);
  CHECK(run(scores_only<host>{}, fingerprinted_model<host>{}, canvas, rng(1)).model == 17);
  CHECK(steps == 6);

  attack<smooth_encoding, smooth_objective<host>, sparer> const spared;
  CHECK(run(spared, smooth_model<host>{}, canvas, rng(1)).backwards == 4);  // in one step of two
  attack<smooth_encoding, objective<host>, chooser> const chosen;
  CHECK(run(chosen, smooth_model<host>{}, canvas, rng(1)).backwards == 24);
  attack<encoding, objective<host>, sampler> const sampled;
  auto const seen = run(sampled, model<host>{}, canvas, rng(1));
  CHECK(seen.forwards_spent == std::vector<std::uint32_t>{2, 2, 0, 0});
  attack<encoding, objective<host>, walker> const walked;
  CHECK(run(walked, model<host>{}, canvas, rng(1), batch_size{3}, quantized{}).forwards_spent == std::vector<std::uint32_t>{2, 2, 2, 2});
  attack<smooth_encoding, image_objective<host>, follower> const regularised;
  CHECK(run(regularised, smooth_model<host>{}, canvas, rng(1)).steps == 2);
  attack<normed_encoding, smooth_objective<host>, pgd> const projected{{}, {}, {.rate = 1, .steps = 3}};
  CHECK(run(projected, smooth_model<host>{}, canvas, rng(1)).size() == 4);
  attack<evolvable_encoding, objective<host>, genetic> const bred{{}, {}, {.population = 3, .generations = 2, .elite = 1}};
  CHECK(run(bred, model<host>{}, canvas, rng(1)).forwards_spent == std::vector<std::uint32_t>{7, 7, 7, 7});
  attack<normed_encoding, objective<host>, cma_es> const adapted{{}, {}, {.generations = 2, .children = 3}};
  CHECK(run(adapted, model<host>{}, canvas, rng(1)).forwards_spent == std::vector<std::uint32_t>{6, 6, 6, 6});
  attack<smooth_encoding, smooth_classwise_objective<host>, aimer> const aimed;
  CHECK(run(aimed, smooth_model<host>{}, image, rng(1)).backwards == 4);

  map_elites const elites{.children = 3, .generations = 2};
  attack<evolvable_encoding, classwise_objective<host>, map_elites> const evolved{{}, {}, elites};
  attack<scheduled_encoding, classwise_objective<host>, map_elites> const scheduled{{}, {}, elites};
  CHECK(run(evolved, model<host>{}, image, rng(1)).steps == 3);
  attack<climbing_encoding, smooth_classwise_objective<host>, polished> const climbed{{}, {}, {.inner = elites, .steps = 2}};
  auto const grown = run(climbed, smooth_model<host>{}, image, rng(1));
  CHECK(grown.steps == 9);
  CHECK(grown.backwards == 18);
  CHECK(run(scheduled, model<host>{}, image, rng(1)).steps == 3);
}

TEST_CASE("measure asks of its parts no more than the contracts say") {
  auto const image = blank({1, 2, 2});
  static_assert(std::is_same_v<decltype(measure(probe<host>{}, model<host>{}, image)), probe<host>::result>);
  measure(probe<host>{}, model<host>{}, image);
}

}  // namespace pareidolia_test
