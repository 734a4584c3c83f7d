"""Who and what there is: regions, bodies, contracts, cycles and the frames of recipients."""
