using PublicApiGenerator;
using ResearchKit.Native;

namespace ResearchKit.Tests;

/// <summary>What users of the kit can call; a change of it is seen before it is made.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void The_public_API_of_the_kit_matches_the_approved_snapshot() =>
        Snapshot.Match(typeof(Compute).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }));
}
