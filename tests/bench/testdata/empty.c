int seam_empty;
