"""The functions that run in Lambda; each file ships alone, with lambda_runtime beside it."""
