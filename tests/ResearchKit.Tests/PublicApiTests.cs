using PublicApiGenerator;
using ResearchKit.Native;

namespace ResearchKit.Tests;

/// <summary>What users of the kit can call; a change of it is seen before it is made.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_of_the_kit_is_the_approved_one() =>
        Snapshot.Match(typeof(Compute).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }));
}
