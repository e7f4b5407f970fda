"""The files of the review page, as browsers get them."""
