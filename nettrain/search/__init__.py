"""Many runs with one purpose: sweeps, cross-validation, ensembles. All of them call `train`."""
