#pragma once

#include <viaduct/abi/address.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/service.h>

#include <cstdint>

#include "dataplane/image.h"
#include "dataplane/orphan.h"

namespace viaduct::dataplane {

// Between the maps' layouts (<viaduct/abi/>) and the module's types.

vd_addr to_abi(const base::Address& address);
base::Address from_abi(const vd_addr& address);

vd_service4_key to_abi4(const service::VipKey& key);
vd_service6_key to_abi6(const service::VipKey& key);
vd_service to_abi(const ServiceEntry& entry);
vd_backend to_abi(const BackendEntry& entry);

ServiceEntry from_abi(const vd_service4_key& key, const vd_service& value);
ServiceEntry from_abi(const vd_service6_key& key, const vd_service& value);
BackendEntry from_abi(std::uint32_t id, const vd_backend& value);
ConnectedSocket from_abi(const vd_sock_flow& flow);

}  // namespace viaduct::dataplane
