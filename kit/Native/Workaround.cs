namespace ResearchKit.Native;

/// <summary>A place where the kit reaches past TorchSharp's public surface, or round a fault of a native library.</summary>
/// <param name="Name">What <see cref="Workarounds.Variable"/> and the run record call it.</param>
/// <param name="Versions">The versions it was made for and last seen to be needed with.</param>
/// <param name="Reason">What upstream lacks or does wrong.</param>
/// <param name="IsRequired">Nothing works without it, so it cannot be switched off.</param>
/// <param name="Applies">Whether this machine and process need it, as far as that is known by now.</param>
public sealed record Workaround(string Name, string Versions, string Reason, bool IsRequired, Func<bool> Applies)
{
    /// <summary>Whether the environment switched it off.</summary>
    public bool IsOff => !IsRequired && Workarounds.IsOff(Name);

    /// <summary>Whether it is at work in this process.</summary>
    public bool IsActive => !IsOff && Applies();

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name} ({(IsOff ? "switched off" : IsActive ? "active" : "not needed here")}): {Reason}";
}
