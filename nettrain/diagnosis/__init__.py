"""Diagnosis: statistics of every layer, and what they and the losses say goes wrong."""
