#include "dns/answer_memory.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>

#include "base/errors.h"

namespace viaduct::dns {

std::size_t bucket_count(std::size_t slots) {
  return std::bit_ceil(std::max<std::size_t>(2 * slots / VD_DNS_BUCKET_ENTRIES, 2));
}

base::Result<AnswerMemory> allocate_plain(std::size_t slots) {
  const std::size_t buckets = bucket_count(slots) + 1;
  const auto allocate = [](std::size_t count, std::size_t octets) {
    return std::shared_ptr<void>(std::calloc(count, octets), std::free);
  };
  const auto index = allocate(buckets, sizeof(vd_dns_bucket));
  const auto names = allocate(slots, sizeof(vd_dns_slot));
  if (!index || !names)
    return base::from_errno(ENOMEM, "memory for " + std::to_string(slots) + " names");
  return AnswerMemory{
      {static_cast<vd_dns_bucket*>(index.get()), buckets},
      {static_cast<vd_dns_slot*>(names.get()), slots},
      std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(index, names)};
}

}  // namespace viaduct::dns
