namespace ResearchKit.Data;

/// <summary>What takes the place of a missing number.</summary>
public enum Imputation
{
    /// <summary>The mean of the column in the training part.</summary>
    Mean,

    /// <summary>The median of the column in the training part.</summary>
    Median,

    /// <summary>Nothing: the feature is NaN.</summary>
    None,
}

/// <summary>How a table becomes features.</summary>
public sealed record TableFeatureOptions
{
    /// <summary>Whether features of numbers become (x − mean) / standard deviation.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>What takes the place of a missing number.</summary>
    public Imputation Imputation { get; init; } = Imputation.Mean;

    /// <summary>
    /// Whether a column with missing values in the training part gets a feature besides, which is 1 where the value is missing.
    /// </summary>
    public bool FlagMissing { get; init; }

    /// <summary>A column of more distinct texts is left out: it is a name or a free text, and no category.</summary>
    public int MaximumCategories { get; init; } = 50;

    /// <summary>Whether the label is a number to predict (regression), and not a class.</summary>
    public bool NumericTarget { get; init; }

    /// <summary>Names of columns that are no features.</summary>
    public IReadOnlyList<string> Without { get; init; } = [];
}
