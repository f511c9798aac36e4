# Xtensor::Xtensor, arrays, headers only, with the xtl they include. xtensor moved its headers in 0.26.
find_path(Xtensor_INCLUDE_DIR NAMES xtensor/containers/xtensor.hpp xtensor/xtensor.hpp)
find_path(Xtensor_xtl_INCLUDE_DIR xtl/xtl_config.hpp)
mark_as_advanced(Xtensor_INCLUDE_DIR Xtensor_xtl_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Xtensor REQUIRED_VARS Xtensor_INCLUDE_DIR Xtensor_xtl_INCLUDE_DIR)
if(Xtensor_FOUND AND NOT TARGET Xtensor::Xtensor)
  add_library(Xtensor::Xtensor INTERFACE IMPORTED)
  target_include_directories(Xtensor::Xtensor INTERFACE "${Xtensor_INCLUDE_DIR}" "${Xtensor_xtl_INCLUDE_DIR}")
endif()
