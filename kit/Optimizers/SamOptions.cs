namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Sam"/>.</summary>
public sealed record SamOptions
{
    /// <summary>How far the neighbourhood reaches that the loss is the worst of.</summary>
    public double Rho { get; init; } = 0.05;

    /// <summary>Whether distances count relative to each weight (Kwon et al., 2021, https://arxiv.org/abs/2102.11600); ρ is then about ten times larger.</summary>
    public bool Adaptive { get; init; }

    internal void Check() => Setting.NotNegative(Rho);
}
