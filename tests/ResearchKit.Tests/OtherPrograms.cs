namespace ResearchKit.Tests;

/// <summary>
/// The collection of tests that mostly wait for other programs, or compile. They run one after the other, beside all other
/// tests, so they must neither make a tensor in this process nor change its folder, environment or console.
/// </summary>
[CollectionDefinition(Name)]
public sealed class OtherPrograms
{
    public const string Name = "other programs";
}
