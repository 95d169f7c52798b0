"""A model under accusation, however it comes: a file of weights, an ONNX file, or a service that answers over
HTTP.
"""
