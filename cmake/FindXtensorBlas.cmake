# XtensorBlas::XtensorBlas, linear algebra on xtensor by BLAS and LAPACK, headers only.
find_path(XtensorBlas_INCLUDE_DIR xtensor-blas/xlinalg.hpp)
mark_as_advanced(XtensorBlas_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XtensorBlas REQUIRED_VARS XtensorBlas_INCLUDE_DIR)
if(XtensorBlas_FOUND AND NOT TARGET XtensorBlas::XtensorBlas)
  add_library(XtensorBlas::XtensorBlas INTERFACE IMPORTED)
  target_include_directories(XtensorBlas::XtensorBlas INTERFACE "${XtensorBlas_INCLUDE_DIR}")
endif()
