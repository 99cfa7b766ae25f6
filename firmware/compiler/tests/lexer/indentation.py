
# A comment first.
if a:
    b
    # deeper comment
        
    if c:
	    d
    else: e
f(1,
  2, # not a line end
)
g \
  + h
