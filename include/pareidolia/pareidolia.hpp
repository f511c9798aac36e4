// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

// Everything that needs only the standard library, xtensor and Random123. Engines, loaders and output are included one by one, because each
// brings a library of its own.

#include <pareidolia/attack.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/objective.hpp>
#include <pareidolia/optimizer.hpp>
#include <pareidolia/probe.hpp>

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/birth.hpp>
#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/lineage.hpp>
#include <pareidolia/core/mann_whitney.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/resize.hpp>
#include <pareidolia/core/roc.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/stopwatch.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/version.hpp>
#include <pareidolia/core/view.hpp>

#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/cppn_network.hpp>
#include <pareidolia/encodings/cppn_weights.hpp>
#include <pareidolia/encodings/fourier.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/encodings/patches.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/encodings/shown.hpp>
#include <pareidolia/encodings/staged.hpp>

#include <pareidolia/models/adaptors.hpp>
#include <pareidolia/models/adversarial_training.hpp>
#include <pareidolia/models/crops.hpp>
#include <pareidolia/models/decay.hpp>
#include <pareidolia/models/extended.hpp>
#include <pareidolia/models/fold.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/lipschitz.hpp>
#include <pareidolia/models/mean_image.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/parameters.hpp>
#include <pareidolia/models/recovered.hpp>
#include <pareidolia/models/retraining.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/training.hpp>
#include <pareidolia/models/weights.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/models/zoo/alexnet.hpp>
#include <pareidolia/models/zoo/colours.hpp>
#include <pareidolia/models/zoo/googlenet.hpp>
#include <pareidolia/models/zoo/lenet.hpp>
#include <pareidolia/models/zoo/resnet.hpp>
#include <pareidolia/models/zoo/squeezenet.hpp>
#include <pareidolia/models/zoo/szegedy.hpp>
#include <pareidolia/models/zoo/torchvision.hpp>
#include <pareidolia/models/zoo/vgg.hpp>

#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/clipped.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/distortion.hpp>
#include <pareidolia/objectives/logit.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/misclassification.hpp>
#include <pareidolia/objectives/opposite.hpp>
#include <pareidolia/objectives/penalised.hpp>
#include <pareidolia/objectives/total_variation.hpp>

#include <pareidolia/optimizers/apgd.hpp>
#include <pareidolia/optimizers/carlini_wagner.hpp>
#include <pareidolia/optimizers/cma_es.hpp>
#include <pareidolia/optimizers/decoupled_norm.hpp>
#include <pareidolia/optimizers/deepception.hpp>
#include <pareidolia/optimizers/deepfool.hpp>
#include <pareidolia/optimizers/genetic.hpp>
#include <pareidolia/optimizers/gradient_ascent.hpp>
#include <pareidolia/optimizers/lbfgs.hpp>
#include <pareidolia/optimizers/map_elites.hpp>
#include <pareidolia/optimizers/minimal_radius.hpp>
#include <pareidolia/optimizers/momentum.hpp>
#include <pareidolia/optimizers/pgd.hpp>
#include <pareidolia/optimizers/placement_strategies.hpp>
#include <pareidolia/optimizers/polished.hpp>
#include <pareidolia/optimizers/restarts.hpp>
#include <pareidolia/optimizers/universal.hpp>
#include <pareidolia/optimizers/universal_ascent.hpp>
#include <pareidolia/optimizers/universal_deepception.hpp>

#include <pareidolia/probes/activation_inhibition.hpp>
#include <pareidolia/probes/background.hpp>
#include <pareidolia/probes/boundary_curvature.hpp>
#include <pareidolia/probes/boundary_flatness.hpp>
#include <pareidolia/probes/cumulative_response.hpp>
#include <pareidolia/probes/curvature_detector.hpp>
#include <pareidolia/probes/curvature_ratio.hpp>
#include <pareidolia/probes/donor_ranking.hpp>
#include <pareidolia/probes/local_response.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>
#include <pareidolia/probes/region_convexity.hpp>
#include <pareidolia/probes/region_path.hpp>
#include <pareidolia/probes/repetition_ablation.hpp>
#include <pareidolia/probes/response_map.hpp>
#include <pareidolia/probes/share_inside.hpp>
#include <pareidolia/probes/spatial_response.hpp>
#include <pareidolia/probes/subspace_noise.hpp>
#include <pareidolia/probes/transfer.hpp>
#include <pareidolia/probes/transfer_matrix.hpp>
#include <pareidolia/probes/unit_directions.hpp>
