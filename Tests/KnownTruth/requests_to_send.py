"""What is asked of the two servers, and which of the changelog's entries has to show in the answers."""
from typing import NamedTuple


class Request(NamedTuple):
    service: str
    template: str  # the route, and so the endpoint
    path: str
    target: str | None = None  # X-Amz-Target, where that names what is asked
    body: str | None = None

    def __str__(self):
        return f"{self.service} {self.path}{' ' + self.target.partition('.')[2] if self.target else ''}"


def query(service, action, version, more=""):
    return Request(service, "/", f"/?Action={action}&Version={version}{more}")


def requests(identifiers_a, identifiers_b):
    """The requests, and those that cannot be sent because the servers made up different identifiers for their paths."""
    by_identifier = {"zone": ("route53", "/2013-04-01/hostedzone/{id}/rrset"),
                     "check": ("route53", "/2013-04-01/healthcheck/{id}/status")}
    made = [(name, Request(service, template, template.replace("{id}", identifiers_a[name])))
            for name, (service, template) in by_identifier.items()]
    return ALWAYS + [request for name, request in made if identifiers_a[name] == identifiers_b[name]], [
        request for name, request in made if identifiers_a[name] != identifiers_b[name]]


ALWAYS = [
    Request("s3", "/", "/"),
    Request("s3", "/", "/?prefix=alpha"),
    Request("s3", "/{bucket}", "/alpha-bucket?list-type=2"),
    Request("s3", "/{bucket}", "/alpha-bucket?cors"),
    Request("s3", "/{bucket}/{key}", "/alpha-bucket/a.txt"),
    Request("s3", "/{bucket}/{key}", "/alpha-bucket/missing.txt"),
    query("sts", "GetCallerIdentity", "2011-06-15"),
    query("sts", "GetSessionToken", "2011-06-15"),
    query("ec2", "DescribeSecurityGroups", "2016-11-15", "&GroupName.1=orders"),
    query("ec2", "DescribeRegions", "2016-11-15", "&RegionName.1=us-east-1"),
    query("autoscaling", "DescribeAutoScalingGroups", "2011-01-01"),
    Request("kinesis", "/", "/", "Kinesis_20131202.DescribeStreamSummary", '{"StreamName": "stream"}'),
    Request("secretsmanager", "/", "/", "secretsmanager.GetRandomPassword", "{}"),
    Request("route53", "/2013-04-01/hostedzone", "/2013-04-01/hostedzone?maxitems=1"),
    Request("lambda", "/2015-03-31/functions", "/2015-03-31/functions"),
    Request("lambda", "/2015-03-31/functions/{name}", "/2015-03-31/functions/alpha"),
    Request("lambda", "/2015-03-31/functions/{name}/policy", "/2015-03-31/functions/alpha/policy"),
    Request("lambda", "/2018-10-31/layers/{name}/versions", "/2018-10-31/layers/layer/versions"),
    Request("apigateway", "/restapis", "/restapis"),
    Request("apigateway", "/apikeys", "/apikeys?name=alpha"),
    Request("iot", "/things", "/things"),
    Request("iot", "/things/{name}", "/things/alpha"),
    Request("iot", "/endpoint", "/endpoint?endpointType=iot:Data"),
    Request("iot", "/thing-groups/{name}", "/thing-groups/group"),
    Request("cloudfront", "/2020-05-31/distribution", "/2020-05-31/distribution"),
    Request("eks", "/clusters", "/clusters"),
    Request("eks", "/clusters/{name}", "/clusters/cluster"),
]

ONE = r"(\[[\d*]+\])?"  # an index, as a path may or may not write it

# Of moto's CHANGELOG.md, written down before anything was run: name, the release that brought it, what it says, the service
# and a piece of the path of the request that shows it, and how the path of the difference reads.
KNOWN = [
    ("K1", "5.1.5", "S3: calls now return Content-Type=application/xml", "s3", "list-type=2", r"header\.content-type"),
    ("K2", "5.1.8", "S3: get_bucket_cors() now returns the ID-attribute", "s3", "?cors", rf"CORSRule{ONE}[./]ID"),
    ("K3", "5.1.15", "Lambda: list_layer_versions() now returns latest first", "lambda", "/layers/",
     rf"LayerVersions{ONE}([./](Version|LayerVersionArn|Description))?$"),
    ("K4", "5.0.17", "APIGateway: get_api_keys() now supports nameQuery", "apigateway", "/apikeys", rf"item{ONE}([./]name)?$"),
    ("K5", "5.2.2", "Route53: list_resource_record_sets() no TTL for aliases", "route53", "/rrset",
     rf"ResourceRecordSet{ONE}[./]TTL"),
    ("K6", "5.0.23", "EC2: SecurityGroups now contain a SecurityGroupArn", "ec2", "SecurityGroups", r"securityGroupArn"),
    ("K7", "5.0.22", "EC2: identifiers are now 17 characters long", "ec2", "SecurityGroups", r"vpcId"),
    ("K8", "5.2.3", "CloudFront: list_distributions() returns all attributes", "cloudfront", "/distribution",
     rf"DistributionSummary{ONE}[./](?!(Id|ARN|DomainName)\b)\w"),
    ("K9", "5.2.0", "S3: list_buckets() now supports Prefix", "s3", "?prefix=", rf"\bBucket{ONE}([./]Name)?$"),
    ("K10", "5.0.2", "Route53: list_hosted_zones() now supports pagination", "route53", "maxitems=1",
     rf"\bHostedZone{ONE}([./](Name|CallerReference))?$"),
    ("K11", "5.0.4", "Lambda: get_policy() now fails without statements", "lambda", "/policy", r"^status$"),
]
