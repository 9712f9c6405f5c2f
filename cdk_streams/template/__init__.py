"""The one reader of CloudFormation templates: intrinsic functions, names, resources."""
