#include "version.h"

#include <libretto.h>

const char *version_text(void) { return RETTO_VERSION_STRING; }
