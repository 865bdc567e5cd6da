/* Loads the real-time test, and the library with it, into a running process, as hosts load plugins. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  void *plugin = dlopen(getenv("PLUGIN"), RTLD_NOW | RTLD_LOCAL);
  void *address = plugin ? dlsym(plugin, "realtime") : NULL;
  int (*realtime)(void);
  if (!address) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  memcpy(&realtime, &address, sizeof realtime);
  return realtime();
}
