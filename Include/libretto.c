// Holds no code. A target of headers alone is not rebuilt when a header changes; this file is.
#include "libretto.h"
