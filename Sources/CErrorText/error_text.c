#include "error_text.h"

static _Thread_local char text[ERROR_TEXT_SIZE];

char *error_text(void) { return text; }
