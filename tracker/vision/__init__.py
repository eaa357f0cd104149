"""From recordings and cameras to one participant's face over time.

`media` yields (pixels, instant), `faces` finds and `crops` cuts them out by the network's
`CropSpec`, `tracks` keeps one face one person. Pixels stay in memory and are dropped.
"""
