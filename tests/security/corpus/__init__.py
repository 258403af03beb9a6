"""Texts with secrets and texts that only look so, made from parts: no key stands here whole."""
