# The map and value layouts that kernel and user space share.
add_library(viaduct_abi INTERFACE)
add_library(viaduct::abi ALIAS viaduct_abi)
target_include_directories(viaduct_abi INTERFACE ${CMAKE_SOURCE_DIR}/include)
# libbpf's option macros are statement expressions around compound literals.
target_compile_options(viaduct_abi INTERFACE
  $<$<CXX_COMPILER_ID:Clang>:-Wno-gnu-statement-expression;-Wno-c99-extensions>)

find_program(VIADUCT_CLANG NAMES clang-14 clang REQUIRED)
find_program(VIADUCT_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

# viaduct_bpf_object(sock_lb) compiles bpf/sock_lb.bpf.c and makes viaduct::bpf_sock_lb, which carries
# the generated skeleton "sock_lb.skel.h".
function(viaduct_bpf_object name)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/include/${name}.skel.h)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/include)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${VIADUCT_CLANG} -g -O2 -Wall -Wextra -Werror -Wno-unused-parameter -target bpf
            -mcpu=v3 -D__TARGET_ARCH_x86 -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/bpf
            -MD -MF ${object}.d -MT ${object}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c -o ${object}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c
    DEPFILE ${object}.d
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND sh -c "\"$1\" gen skeleton \"$2\" name \"$3\" > \"$4.tmp\" && mv \"$4.tmp\" \"$4\"" skeleton
            ${VIADUCT_BPFTOOL} ${object} ${name} ${skeleton}
    DEPENDS ${object}
    VERBATIM)
  add_custom_target(bpf_${name}_skeleton DEPENDS ${skeleton})
  add_library(viaduct_bpf_${name} INTERFACE)
  add_library(viaduct::bpf_${name} ALIAS viaduct_bpf_${name})
  add_dependencies(viaduct_bpf_${name} bpf_${name}_skeleton)
  target_include_directories(viaduct_bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/include)
  target_link_libraries(viaduct_bpf_${name} INTERFACE viaduct::abi PkgConfig::LIBBPF)
endfunction()
