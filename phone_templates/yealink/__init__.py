"""Yealink: models, generations, parameters and templates, VP530P (V70) to V86 and later."""
