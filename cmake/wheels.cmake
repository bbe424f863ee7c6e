# Given to CMake as -DCMAKE_PROJECT_INCLUDE when il_ros_interfaces is built against the ROS 2 wheels of PyPI.
#
# 1. The wheels' imported targets export include directories of the machine that they were built on; CMake
#    refuses such targets, so directories that do not exist are dropped.
# 2. The generated C++ type supports are compiled as unity builds, which halves the build time.
# The package's own CMakeLists.txt stays as colcon and apt users expect it.

function(il_ros_drop_missing_include_directories directory)
  get_property(targets DIRECTORY ${directory} PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(includes ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT includes)
      continue()
    endif()
    set(kept)
    foreach(include IN LISTS includes)
      if(include MATCHES "^\\$<" OR EXISTS "${include}")
        list(APPEND kept "${include}")
      endif()
    endforeach()
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${kept}")
  endforeach()
endfunction()

function(il_ros_unite directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "SHARED_LIBRARY" AND target MATCHES "_cpp$" AND NOT target MATCHES "introspection_cpp$")
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
    endif()
  endforeach()
endfunction()

cmake_language(DEFER CALL il_ros_drop_missing_include_directories "${CMAKE_CURRENT_SOURCE_DIR}")
cmake_language(DEFER CALL il_ros_unite "${CMAKE_CURRENT_SOURCE_DIR}")
