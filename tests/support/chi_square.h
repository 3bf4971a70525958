#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace viaduct::test {

/// The value that a chi-square exceeds once in a million times.
/// Source: Wilson and Hilferty, 1931; a sixth too large for one degree of freedom, exact for many.
inline double chi_square_limit(std::size_t degrees) {
  constexpr double kNormal = 4.7534;  // of the same probability
  const double part = 2.0 / (9.0 * static_cast<double>(degrees));
  return static_cast<double>(degrees) * std::pow(1 - part + kNormal * std::sqrt(part), 3);
}

/// Whether counts are what chance makes of weights. One of weight 0 must have none.
inline ::testing::AssertionResult follows_weights(const std::vector<std::uint64_t>& seen,
                                                  const std::vector<std::uint16_t>& weights) {
  const double total = std::accumulate(seen.begin(), seen.end(), 0.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  double chi_square = 0;
  std::size_t degrees = 0;
  for (std::size_t i = 0; i < seen.size(); i++) {
    if (weights[i] == 0 && seen[i] > 0)
      return ::testing::AssertionFailure() << seen[i] << " for weight 0";
    if (weights[i] == 0) continue;
    const double expected = total * weights[i] / sum;
    const double off = static_cast<double>(seen[i]) - expected;
    chi_square += off * off / expected;
    degrees++;
  }
  degrees--;
  ::testing::AssertionResult result = chi_square < chi_square_limit(degrees)
                                          ? ::testing::AssertionSuccess()
                                          : ::testing::AssertionFailure();
  result << "chi-square " << chi_square << " with " << degrees << " degrees of freedom:";
  for (const std::uint64_t count : seen) result << " " << count;
  return result;
}

}  // namespace viaduct::test
