/* Preloaded, makes MKL take its AVX-512 path on processors of any make, as it does on Intel's own. */
int mkl_serv_intel_cpu_true(void) { return 1; }
