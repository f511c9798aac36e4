# cmake -D root=DIR -D base=HEADERS -D cpu=HEADERS ... -P layout.cmake
# Fails when a header breaks a rule of the layout that no compiler checks. HEADERS are relative to root.
cmake_minimum_required(VERSION 3.25)

# What matches the first pattern is included only by headers that match the second: component:path.
set(rules
    "^xtensor/"                              "^base:core/tensor\\.hpp$"
    "^Random123/"                            "^base:core/random\\.hpp$"
    "^omp\\.h$"                              "^(base:core/parallel\\.hpp$|cpu:)"
    "^xtensor-blas/"                         "^(reference|geometry):"
    "^(Spectra|Eigen)/"                      "^geometry:"
    "dnnl"                                   "^cpu:"
    "^(cuda|cudnn|cublas|nvrtc)[a-zA-Z_]*\\.h$" "^cuda:"
    "^(jpeglib\\.h$|png\\.h$|zlib\\.h$|nlohmann/|protozero/)" "^io:"
    "^mpi\\.h$"                              "^mpi:distributed/communicator\\.hpp$"
    "^pareidolia/(engines|models)/"          ":(engines|models|loaders|io|detail|pareidolia\\.hpp)"
    "^pareidolia/pareidolia\\.hpp$"          "^$")

foreach(component IN ITEMS base reference cpu cuda geometry io mpi)
  list(TRANSFORM ${component} REPLACE "^include/" "")
  if(NOT ${component})
    message(FATAL_ERROR "the component ${component} has no headers")
  endif()
  foreach(header IN LISTS ${component})
    file(STRINGS "${root}/include/${header}" lines REGEX "^ *# *include ")
    string(REGEX REPLACE "^pareidolia/" "${component}:" who "${header}")
    set(included "")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^[^<\"]*[<\"]([^>\"]*).*" "\\1" what "${line}")
      list(APPEND included "${what}")
      set(rest ${rules})
      while(rest)
        list(POP_FRONT rest pattern allowed)
        if(what MATCHES "${pattern}" AND NOT who MATCHES "${allowed}")
          message(SEND_ERROR "${header} (${who}) includes <${what}>, which only ${allowed} may; CMakeLists.txt says whose a header is")
        endif()
      endwhile()
      if(what MATCHES "^pareidolia/" AND NOT what IN_LIST base AND NOT what IN_LIST ${component})
        message(SEND_ERROR "${header} belongs to ${component} and includes <${what}> of another component")
      endif()
    endforeach()
    if(header STREQUAL "pareidolia/pareidolia.hpp")
      set(umbrella ${included})
    endif()
  endforeach()
endforeach()

# The umbrella includes all of the base but what no user names.
foreach(header IN LISTS base)
  if(NOT header MATCHES "^pareidolia/(detail/|pareidolia\\.hpp$)" AND NOT header IN_LIST umbrella)
    message(SEND_ERROR "pareidolia.hpp does not include <${header}>")
  endif()
endforeach()
