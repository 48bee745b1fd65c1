"""Steps: declared pieces of work whose results are kept by content, so that none is done twice."""
