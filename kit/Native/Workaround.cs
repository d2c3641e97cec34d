namespace ResearchKit.Native;

/// <summary>Code that reaches past TorchSharp's public API, or avoids a fault of a native library.</summary>
/// <param name="Name">Its name in <see cref="Workarounds.Variable"/> and in the run record.</param>
/// <param name="Versions">Versions of the libraries with which it was last needed.</param>
/// <param name="Reason">What the library lacks or does wrong.</param>
/// <param name="IsRequired">Whether the kit does not work without it, so that it cannot be switched
/// off.</param>
/// <param name="Applies">Whether this machine and process need it, as far as that is known yet.</param>
public sealed record Workaround(string Name, string Versions, string Reason, bool IsRequired, Func<bool> Applies)
{
    /// <summary>Whether the environment variable switches it off.</summary>
    public bool IsOff => !IsRequired && Workarounds.IsOff(Name);

    /// <summary>Whether it is active in this process.</summary>
    public bool IsActive => !IsOff && Applies();

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name} ({(IsOff ? "switched off" : IsActive ? "active" : "not needed here")}): {Reason}";
}
