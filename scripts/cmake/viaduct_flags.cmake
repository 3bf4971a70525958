# Flags that every C++ target of the project takes through viaduct_flags.

# A compiler cache is used where one is installed and no other launcher is asked for.
find_program(VIADUCT_CCACHE ccache)
if(VIADUCT_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VIADUCT_CCACHE})
endif()

add_library(viaduct_flags INTERFACE)
add_library(viaduct::flags ALIAS viaduct_flags)
target_compile_features(viaduct_flags INTERFACE cxx_std_20)
target_compile_options(viaduct_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wdelete-non-virtual-dtor -Wno-missing-field-initializers)
target_include_directories(viaduct_flags INTERFACE ${CMAKE_SOURCE_DIR}/userspace)
target_compile_definitions(viaduct_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE VIADUCT_VERSION="${PROJECT_VERSION}")
set(VIADUCT_SANITIZE "" CACHE STRING "Comma-separated sanitizers, e.g. address,undefined")
if(VIADUCT_SANITIZE)
  target_compile_options(viaduct_flags INTERFACE
    -fsanitize=${VIADUCT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(viaduct_flags INTERFACE -fsanitize=${VIADUCT_SANITIZE})
  if(VIADUCT_SANITIZE MATCHES "undefined")
    # What clang 14 puts before each function for this check cannot stand before a coroutine's parts.
    target_compile_options(viaduct_flags INTERFACE $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  endif()
  if(VIADUCT_SANITIZE MATCHES "thread")
    # Asio's fences are understood by no GCC; it says so for each.
    target_compile_options(viaduct_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()
