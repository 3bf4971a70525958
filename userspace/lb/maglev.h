#pragma once

#include <cstddef>
#include <span>

#include "lb/weighted.h"

namespace viaduct::lb {

/// Slots for a number of backends that take new connections: a prime of about 100 per backend from
/// a few coarse sizes, so that most changes of a service keep its size and move few flows. 0
/// backends: 0; 1 backend: 1.
std::size_t maglev_size(std::size_t backends);

/// Maglev's table, weighted, and calmer: backends take turns, each as often as its share of the
/// weights says, and each turn takes the next slot of the backend's own permutation, if it is free,
/// until the backend has its share and a slack of up to a 16th. So every slot goes to the one who
/// wants it first and has room, and a change of the set moves little beside what it must. The
/// result depends on the set of backends only, not on their order or ids.
/// @param slots  a prime; 0 or no backend with weight gives an empty table.
/// Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI
/// 2016, section 3.4.
Table maglev(std::span<const WeightedBackend> backends, std::size_t slots);

}  // namespace viaduct::lb
