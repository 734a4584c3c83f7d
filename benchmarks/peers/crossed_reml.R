# The same model by lme4, as its documentation shows it for InstEval: Rscript crossed_reml.R PATH RUNS
suppressMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
answers <- read.csv(arguments[1])
answers$s <- factor(answers$s)
answers$d <- factor(answers$d)
seconds <- replicate(as.integer(arguments[2]), {
  started <- proc.time()[["elapsed"]]
  fit <<- lmer(y ~ 1 + (1 | s) + (1 | d), answers)
  proc.time()[["elapsed"]] - started
})
variances <- as.data.frame(VarCorr(fit))$vcov
cat(sprintf("lme4 %s: median %.2f s of %d, criterion %.4f, variances %.6f %.6f %.6f\n",
            packageVersion("lme4"), median(seconds), length(seconds), REMLcrit(fit), variances[2], variances[1], variances[3]))
